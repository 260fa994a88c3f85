"""What every Python client here shares: which scenarios it plays, and the line of JSON each of them prints.

The environment says where to connect (PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, PGSSLMODE) and what to
play (SCENARIOS, a list). The statements are the same in every language; a client plays them its own way.
"""

import json
import os

DENIED = "truncate orders"
UPDATE = "update orders set status = 'paid' where id = 3 returning status"
DELETE = "delete from orders where id = 4"
INSERT = "insert into orders values (900, 1, 1, 'half')"
COUNT_HALF = "select count(*) from orders where id = 900"
BIG = "select n, repeat('x', 50) from generate_series(1, 20000) n"
SLEEP = "select pg_sleep(20)"
TYPES = "select * from typed order by n"
COPIED = [(1, "one"), (2, None), (3, "tab\there \\ and ‹ø›")]


def names():
    return os.environ["SCENARIOS"].split(",")


def place():
    """Where to connect, by libpq's names."""
    variables = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER"}
    variables |= {"password": "PGPASSWORD", "sslmode": "PGSSLMODE"}
    return {name: os.environ[variable] for name, variable in variables.items()}


def joined(row):
    return "|".join("" if cell is None else str(cell) for cell in row)


def shown(value):
    """A value with its type: 1 and '1' are told apart."""
    if type(value).__repr__ is object.__repr__:
        value = list(value)
    return f"{type(value).__name__}:{value!r}"


def say(scenario, **words):
    print(json.dumps({"scenario": scenario, **words}), flush=True)
