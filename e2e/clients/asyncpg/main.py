"""asyncpg plays the scenarios: the extended protocol in binary throughout, statements prepared and kept."""

import asyncio
import io
import ssl

import asyncpg
import scenarios as s


def failed(error):
    return {"sqlstate": error.sqlstate, "detail": getattr(error, "detail", None)}


async def error_of(connection, sql):
    try:
        await connection.fetch(sql)
    except asyncpg.PostgresError as error:
        return failed(error)
    return {"sqlstate": None}


async def cancel(connection):
    # asyncpg sends a CancelRequest when the task that waits is cancelled.
    task = asyncio.create_task(connection.fetch(s.SLEEP))
    await asyncio.sleep(0.7)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        # What the server said of it is not shown to callers; that it answers again at once is.
        loop = asyncio.get_running_loop()
        started = loop.time()
        await connection.fetch("select 1")
        return {"sqlstate": "57014" if loop.time() - started < 10 else "late"}
    return {"sqlstate": None}


async def transaction(connection):
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(s.INSERT)
    said = await error_of(connection, s.DENIED)
    said["after"] = (await error_of(connection, "select 1"))["sqlstate"]
    await transaction.rollback()
    return said


async def big(connection):
    count = total = 0
    async with connection.transaction():
        async for number, _ in connection.cursor(s.BIG, prefetch=500):
            count += 1
            total += number
    return f"{count}|{total}"


async def copy(connection):
    await connection.copy_records_to_table("copied", records=s.COPIED)
    out = io.BytesIO()
    await connection.copy_from_query("select * from copied order by a", output=out)
    said = out.getvalue().decode()
    return "copied" if said == "1\tone\n2\t\\N\n3\ttab\\there \\\\ and ‹ø›\n" else repr(said)


async def play(connection, name):
    usable = lambda: connection.fetchval("select 1")
    if name == "allow":
        return {"value": str(await connection.fetchval("select count(*) from orders"))}
    if name == "deny":
        return {**await error_of(connection, s.DENIED), "usable": str(await usable())}
    if name == "approve":
        return {"value": await connection.fetchval(s.UPDATE)}
    if name == "expire":
        return {**await error_of(connection, s.DELETE), "usable": str(await usable())}
    if name == "mask":
        row = await connection.fetchrow("select name, email, pin from users where id = $1", 2)
        return {"value": s.joined(row)}
    if name == "error":
        return {**await error_of(connection, "select 1 / 0"), "usable": str(await usable())}
    if name == "cancel":
        return {**await cancel(connection), "usable": str(await usable())}
    if name == "transaction":
        return {**await transaction(connection), "value": str(await connection.fetchval(s.COUNT_HALF))}
    if name == "big":
        return {"value": await big(connection)}
    if name == "copy":
        return {"value": await copy(connection)}
    if name == "params":
        total = 0
        for number in range(10):
            total += await connection.fetchval("select $1::int + $2::int", number, 1)
        return {"value": str(total)}
    if name == "types":
        # Its introspection of types it does not know runs queries of its own; what it cannot decode is said.
        rows = []
        columns = [row[0] for row in await connection.fetch(
            "select attname from pg_attribute where attrelid = 'typed'::regclass and attnum > 0 order by attnum"
        )]
        for column in columns:
            try:
                found = await connection.fetch(f'select "{column}" from typed order by n')
                rows.append([s.shown(row[0]) for row in found])
            except Exception as error:  # noqa: BLE001 - the same is expected of the server itself
                rows.append([f"{column}: {type(error).__name__}: {error}"])
        return {"values": rows}
    raise ValueError(name)


async def main():
    place = s.place()
    encrypted = place["sslmode"] != "disable"
    context = ssl.create_default_context() if encrypted else False
    if encrypted:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    connection = await asyncpg.connect(
        host=place["host"],
        port=int(place["port"]),
        database=place["dbname"],
        user=place["user"],
        password=place["password"],
        ssl=context,
    )
    for name in s.names():
        s.say(name, **await play(connection, name))
    await connection.close()


asyncio.run(main())
