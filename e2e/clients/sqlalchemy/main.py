"""SQLAlchemy (over psycopg) plays the scenarios: an engine with its pool, Core statements, a session's unit of work."""

import threading

import scenarios as s
import sqlalchemy as sa
from sqlalchemy.orm import Session

place = s.place()
url = sa.URL.create(
    "postgresql+psycopg",
    place["user"],
    place["password"],
    place["host"],
    int(place["port"]),
    place["dbname"],
    query={"sslmode": place["sslmode"]},
)
engine = sa.create_engine(url, pool_size=2, pool_pre_ping=True)


def failed(error):
    return {"sqlstate": error.orig.sqlstate, "detail": error.orig.diag.message_detail}


def scalar(sql, **parameters):
    with engine.begin() as connection:
        return connection.execute(sa.text(sql), parameters).scalar()


def error_of(sql):
    try:
        scalar(sql)
    except sa.exc.DBAPIError as error:
        return failed(error)
    return {"sqlstate": None}


def cancel():
    with engine.connect() as connection:
        timer = threading.Timer(0.7, connection.connection.driver_connection.cancel_safe)
        timer.start()
        try:
            connection.execute(sa.text(s.SLEEP))
        except sa.exc.DBAPIError as error:
            return failed(error)
        finally:
            timer.join()
    return {"sqlstate": None}


def transaction():
    with Session(engine) as session:
        session.execute(sa.text(s.INSERT))
        try:
            session.execute(sa.text(s.DENIED))
            said = {"sqlstate": None}
        except sa.exc.DBAPIError as error:
            said = failed(error)
        try:
            session.execute(sa.text("select 1"))
            said["after"] = None
        except sa.exc.DBAPIError as error:
            said["after"] = error.orig.sqlstate
        session.rollback()
    return said


def big():
    count = total = 0
    with engine.connect().execution_options(stream_results=True, yield_per=500) as connection:
        for number, _ in connection.execute(sa.text(s.BIG)):
            count += 1
            total += number
    return f"{count}|{total}"


def copy():
    """SQLAlchemy has no COPY; its bulk insert is what people use instead (insertmanyvalues)."""
    table = sa.Table("copied", sa.MetaData(), sa.Column("a", sa.Integer), sa.Column("b", sa.Text))
    with engine.begin() as connection:
        connection.execute(sa.insert(table), [{"a": a, "b": b} for a, b in s.COPIED])
        rows = connection.execute(sa.select(table).order_by(table.c.a)).all()
    return "copied" if [tuple(row) for row in rows] == s.COPIED else repr(rows)


def play(name):
    if name == "allow":
        return {"value": str(scalar("select count(*) from orders"))}
    if name == "deny":
        return {**error_of(s.DENIED), "usable": str(scalar("select 1"))}
    if name == "approve":
        return {"value": scalar(s.UPDATE)}
    if name == "expire":
        return {**error_of(s.DELETE), "usable": str(scalar("select 1"))}
    if name == "mask":
        with engine.connect() as connection:
            sql = sa.text("select name, email, pin from users where id = :id")
            return {"value": s.joined(connection.execute(sql, {"id": 2}).one())}
    if name == "error":
        return {**error_of("select 1 / 0"), "usable": str(scalar("select 1"))}
    if name == "cancel":
        return {**cancel(), "usable": str(scalar("select 1"))}
    if name == "transaction":
        return {**transaction(), "value": str(scalar(s.COUNT_HALF))}
    if name == "big":
        return {"value": big()}
    if name == "copy":
        return {"value": copy()}
    if name == "params":
        sql = "select cast(:a as int) + cast(:b as int)"
        return {"value": str(sum(scalar(sql, a=number, b=1) for number in range(10)))}
    raise ValueError(name)


for name in s.names():
    s.say(name, **play(name))
