"""PyMySQL, Connector/Python or SQLAlchemy, driven from outside: a line in, a JSON object a line out.

    python driver.py pymysql|connector|sqlalchemy HOST PORT DATABASE CA

The password is in SALLYPORT_PASSWORD, and the user in SALLYPORT_USER when it is one of a short-lived password. A line is `query TAB text`, `exec TAB text TAB parameter…`, `cursor TAB
text`, `call TAB name`, `id` or `kill TAB number`. Answers: {"rows": [[…]], "error": {…} | null}. Before the first
line it says what came of connecting.
"""

import json
import os
import ssl
import sys

USER = os.environ.get("SALLYPORT_USER", "anybody")


def plain(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


class PyMySQL:
    def __init__(self, host, port, database, ca):
        import pymysql

        self.failure = pymysql.err.MySQLError
        context = ssl.create_default_context(cafile=ca) if ca else None
        self.connection = pymysql.connect(
            host=host, port=port, user=USER, password=os.environ["SALLYPORT_PASSWORD"], database=database,
            ssl=context, autocommit=True, charset="utf8mb4", connect_timeout=30,
        )

    def query(self, text, parameters=None):
        with self.connection.cursor() as cursor:
            cursor.execute(text, parameters or None)
            rows = list(cursor.fetchall())
            while cursor.nextset():
                rows += cursor.fetchall()
            return rows

    exec = query
    cursor = query

    def call(self, name):
        with self.connection.cursor() as cursor:
            cursor.callproc(name)
            rows = list(cursor.fetchall())
            while cursor.nextset():
                rows += cursor.fetchall()
            return rows

    def id(self):
        return [[self.connection.thread_id()]]

    def kill(self, number):
        self.connection.kill(int(number))
        return []

    def said(self, error):
        code = error.args[0] if error.args else 0
        return {"code": code, "state": None, "message": str(error.args[1] if len(error.args) > 1 else error)}


class Connector:
    def __init__(self, host, port, database, ca):
        import mysql.connector

        self.failure = mysql.connector.Error
        tls = {"ssl_ca": ca, "ssl_verify_cert": True} if ca else {"ssl_disabled": True}
        if "SALLYPORT_USER" not in os.environ:
            tls["auth_plugin"] = "mysql_clear_password"
        elif "SALLYPORT_PLUGIN" in os.environ:
            tls["auth_plugin"] = os.environ["SALLYPORT_PLUGIN"]
        self.connection = mysql.connector.connect(
            host=host, port=port, user=USER, password=os.environ["SALLYPORT_PASSWORD"], database=database,
            autocommit=True, use_pure=True, connection_timeout=30, **tls,
        )

    def query(self, text):
        cursor = self.connection.cursor()
        cursor.execute(text)
        rows = cursor.fetchall() if cursor.with_rows else []
        cursor.close()
        return rows

    def exec(self, text, parameters):
        cursor = self.connection.cursor(prepared=True)
        cursor.execute(text, tuple(parameters))
        rows = cursor.fetchall() if cursor.with_rows else []
        cursor.close()
        return rows

    def cursor(self, text):
        return self.query(text)

    def call(self, name):
        cursor = self.connection.cursor()
        cursor.callproc(name)
        return [row for result in cursor.stored_results() for row in result.fetchall()]

    def id(self):
        return [[self.connection.connection_id]]

    def kill(self, number):
        self.connection.cmd_process_kill(int(number))
        return []

    def said(self, error):
        return {"code": error.errno, "state": error.sqlstate, "message": str(error.msg)}


class SqlAlchemy:
    def __init__(self, host, port, database, ca):
        import sqlalchemy
        from sqlalchemy.engine import URL

        self.sqlalchemy = sqlalchemy
        self.failure = sqlalchemy.exc.DBAPIError
        context = ssl.create_default_context(cafile=ca) if ca else None
        url = URL.create(
            "mysql+pymysql", username=USER, password=os.environ["SALLYPORT_PASSWORD"], host=host, port=port,
            database=database,
        )
        self.engine = sqlalchemy.create_engine(url, connect_args={"ssl": context}, pool_pre_ping=True)
        self.connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def query(self, text):
        result = self.connection.exec_driver_sql(text)
        return [tuple(row) for row in result] if result.returns_rows else []

    def exec(self, text, parameters):
        result = self.connection.exec_driver_sql(text, tuple(parameters))
        return [tuple(row) for row in result] if result.returns_rows else []

    def cursor(self, text):
        return [[name] for name in self.sqlalchemy.inspect(self.engine).get_table_names()]

    def said(self, error):
        code, message = (list(error.orig.args) + [0, ""])[:2]
        return {"code": code, "state": None, "message": str(message)}


DRIVERS = {"pymysql": PyMySQL, "connector": Connector, "sqlalchemy": SqlAlchemy}


def say(rows=None, error=None):
    print(json.dumps({"rows": [[plain(value) for value in row] for row in rows or []], "error": error}), flush=True)


def main():
    kind, host, port, database, ca = sys.argv[1:6]
    try:
        driver = DRIVERS[kind](host, int(port), database, ca)
    except Exception as error:  # what came of connecting is the first answer, whatever it is
        code = getattr(error, "errno", None) or (error.args[0] if error.args else 0)
        say(error={"code": code if isinstance(code, int) else 0, "state": None, "message": str(error)})
        return
    say()
    for line in sys.stdin:
        op, *words = line.rstrip("\n").split("\t")
        try:
            if op == "exec":
                say(driver.exec(words[0].replace("?", "%s") if kind != "connector" else words[0], words[1:]))
            else:
                say(getattr(driver, op)(*words))
        except driver.failure as error:
            say(error=driver.said(error))
        except Exception as error:
            say(error={"code": -1, "state": None, "message": repr(error)})


main()
