"""SQLAlchemy as people use it: reflect the schema, then query by it. Prints one JSON object.

Arguments: host, port, database, token, sslmode.
"""

import json
import sys

import sqlalchemy as sa

host, port, database, token, sslmode = sys.argv[1:]
url = sa.URL.create(
    "postgresql+psycopg", "whoever", token, host, int(port), database, query={"sslmode": sslmode}
)
engine = sa.create_engine(url)
found = sa.inspect(engine)
metadata = sa.MetaData()
metadata.reflect(engine)
users = metadata.tables["users"]
with engine.connect() as connection:
    rows = connection.execute(sa.select(users.c.id, users.c.email).where(users.c.id == 2)).all()
    count = connection.execute(sa.select(sa.func.count()).select_from(users)).scalar()
    try:
        connection.execute(sa.text("DROP TABLE users"))
        refused = None
    except sa.exc.DBAPIError as error:
        refused = error.orig.sqlstate
with engine.connect() as connection:
    after = connection.execute(sa.text("SELECT 1")).scalar()
print(
    json.dumps(
        {
            "tables": sorted(found.get_table_names()),
            "views": found.get_view_names(),
            "columns": [column["name"] for column in found.get_columns("users")],
            "key": found.get_pk_constraint("users")["constrained_columns"],
            "foreign": [key["referred_table"] for key in found.get_foreign_keys("orders")],
            "indexes": found.get_indexes("users"),
            "rows": [list(row) for row in rows],
            "count": count,
            "refused": refused,
            "after": after,
        }
    )
)
