"""psycopg 3 plays the scenarios: MODE is sync, async, pipeline or binary."""

import asyncio
import os
import threading

import psycopg
import scenarios as s

MODE = os.environ.get("MODE", "sync")
BINARY = MODE == "binary"


def failed(error):
    return {"sqlstate": error.sqlstate, "detail": error.diag.message_detail}


class Sync:
    """Blocking calls; in mode `pipeline` every statement travels in a pipeline."""

    def __init__(self):
        self.connection = psycopg.connect(autocommit=True, **s.place())

    def rows(self, sql, parameters=None, prepare=None):
        if MODE == "pipeline":
            with self.connection.pipeline():
                first = self.connection.execute("select 'before'")
                cursor = self.connection.execute(sql, parameters, prepare=prepare)
                after = self.connection.execute("select 'after'")
            assert len(first.fetchall()) == len(after.fetchall()) == 1
            return cursor.fetchall() if cursor.description else []
        with self.connection.cursor(binary=BINARY) as cursor:
            cursor.execute(sql, parameters, prepare=prepare)
            return cursor.fetchall() if cursor.description else []

    def error(self, sql):
        try:
            self.rows(sql)
        except psycopg.Error as error:
            return failed(error)
        return {"sqlstate": None}

    def cancel(self):
        timer = threading.Timer(0.7, self.connection.cancel_safe)
        timer.start()
        said = self.error(s.SLEEP)
        timer.join()
        return said

    def transaction(self):
        connection = self.connection
        connection.autocommit = False
        try:
            connection.execute(s.INSERT)
            said = self.error(s.DENIED)
            said["after"] = self.error("select 1")["sqlstate"]
            connection.rollback()
        finally:
            connection.autocommit = True
        return said

    def big(self):
        count = total = 0
        with self.connection.transaction(), self.connection.cursor("big", binary=BINARY) as cursor:
            cursor.itersize = 500
            cursor.execute(s.BIG)
            for number, _ in cursor:
                count += 1
                total += number
        return f"{count}|{total}"

    def copy(self):
        how = " (format binary)" if BINARY else ""
        with self.connection.cursor() as cursor:
            with cursor.copy(f"copy copied from stdin{how}") as copy:
                if BINARY:
                    copy.set_types(["int4", "text"])
                for row in s.COPIED:
                    copy.write_row(row)
            with cursor.copy(f"copy (select * from copied order by a) to stdout{how}") as copy:
                copy.set_types(["int4", "text"])
                rows = list(copy.rows())
        return "copied" if rows == s.COPIED else repr(rows)

    def close(self):
        self.connection.close()


class Async:
    """The same by asyncio; a loop of its own behind blocking calls."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.connection = self.wait(psycopg.AsyncConnection.connect(autocommit=True, **s.place()))

    def wait(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def rows(self, sql, parameters=None, prepare=None):
        async def run():
            cursor = await self.connection.execute(sql, parameters, prepare=prepare)
            return await cursor.fetchall() if cursor.description else []

        return self.wait(run())

    error = Sync.error

    def cancel(self):
        async def run():
            async def later():
                await asyncio.sleep(0.7)
                await self.connection.cancel_safe()

            task = asyncio.create_task(later())
            try:
                await self.connection.execute(s.SLEEP)
                return {"sqlstate": None}
            except psycopg.Error as error:
                return failed(error)
            finally:
                await task

        return self.wait(run())

    def transaction(self):
        async def run():
            said = {}
            try:
                async with self.connection.transaction():
                    await self.connection.execute(s.INSERT)
                    try:
                        await self.connection.execute(s.DENIED)
                    except psycopg.Error as error:
                        said = failed(error)
                    await self.connection.execute("select 1")
            except psycopg.Error as error:
                said["after"] = error.sqlstate
            return said

        return self.wait(run())

    def big(self):
        async def run():
            count = total = 0
            async with self.connection.transaction(), self.connection.cursor("big") as cursor:
                cursor.itersize = 500
                await cursor.execute(s.BIG)
                async for number, _ in cursor:
                    count += 1
                    total += number
            return f"{count}|{total}"

        return self.wait(run())

    def copy(self):
        async def run():
            async with self.connection.cursor() as cursor:
                async with cursor.copy("copy copied from stdin") as copy:
                    for row in s.COPIED:
                        await copy.write_row(row)
                async with cursor.copy("copy (select * from copied order by a) to stdout") as copy:
                    copy.set_types(["int4", "text"])
                    rows = [row async for row in copy.rows()]
            return "copied" if rows == s.COPIED else repr(rows)

        return self.wait(run())

    def close(self):
        self.wait(self.connection.close())


def plain_text(connection):
    """Every type as the server wrote it: decoding is not what is under test here."""

    class Loader(psycopg.adapt.Loader):
        def load(self, data):
            return bytes(data).hex()

    class BinaryLoader(Loader):
        format = psycopg.pq.Format.BINARY

    for info in list(psycopg.adapters.types):
        for oid in (info.oid, info.array_oid):
            if oid:
                connection.adapters.register_loader(oid, Loader)
                connection.adapters.register_loader(oid, BinaryLoader)
    connection.adapters.register_loader(0, Loader)
    connection.adapters.register_loader(0, BinaryLoader)


def play(client, name):
    usable = lambda: str(client.rows("select 1")[0][0])
    if name == "allow":
        return {"value": str(client.rows("select count(*) from orders")[0][0])}
    if name == "deny":
        return {**client.error(s.DENIED), "usable": usable()}
    if name == "approve":
        return {"value": client.rows(s.UPDATE)[0][0]}
    if name == "expire":
        return {**client.error(s.DELETE), "usable": usable()}
    if name == "mask":
        return {"value": s.joined(client.rows("select name, email, pin from users where id = %s", [2])[0])}
    if name == "error":
        return {**client.error("select 1 / 0"), "usable": usable()}
    if name == "cancel":
        return {**client.cancel(), "usable": usable()}
    if name == "transaction":
        return {**client.transaction(), "value": str(client.rows(s.COUNT_HALF)[0][0])}
    if name == "big":
        return {"value": client.big()}
    if name == "copy":
        return {"value": client.copy()}
    if name == "params":
        total = 0
        for number in range(10):
            total += client.rows("select %s::int + %s::int", [number, 1], prepare=number > 3)[0][0]
        return {"value": str(total)}
    if name == "types":
        plain_text(client.connection)
        return {"values": [[s.shown(cell) for cell in row] for row in client.rows(s.TYPES)]}
    raise ValueError(name)


client = Async() if MODE == "async" else Sync()
for name in s.names():
    s.say(name, **play(client, name))
client.close()
