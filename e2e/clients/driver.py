"""psycopg 3, driven from outside: a JSON object a line in, one out.

The connection's parameters are the first line. A request is run by a worker, so that `cancel` can be
read while it runs. Answers: {"rows": …, "error": {…} | null, "notices": […], "status": "IDLE"}.
"""

import json
import queue
import sys
import threading

import psycopg


def plain(value):
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return str(value)


def failure(error):
    diag = getattr(error, "diag", None)
    field = lambda name: getattr(diag, name, None) if diag else None
    return {
        "sqlstate": getattr(error, "sqlstate", None) or field("sqlstate"),
        "message": field("message_primary") or str(error),
        "detail": field("message_detail"),
        "hint": field("message_hint"),
        "all": str(error),
    }


def run(connection, request):
    op = request.get("op", "sql")
    if op == "sql":
        with connection.cursor(binary=request.get("binary", False)) as cursor:
            cursor.execute(request["sql"], request.get("params"), prepare=request.get("prepare"))
            return cursor.fetchall() if cursor.description else []
    if op == "copy":
        with connection.cursor() as cursor, cursor.copy(request["sql"]) as copy:
            return [b"".join(bytes(chunk) for chunk in copy)]
    if op == "cursor":
        with connection.transaction(), connection.cursor("e2e", withhold=False) as cursor:
            cursor.execute(request["sql"])
            return cursor.fetchmany(2) + cursor.fetchall()
    if op == "pipeline":
        with connection.pipeline():
            cursors = [connection.execute(sql, prepare=request.get("prepare")) for sql in request["sqls"]]
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]
    if op == "key":
        return [connection.pgconn.backend_pid]
    raise ValueError(op)


def main():
    notices = []

    def answer(**words):
        words.setdefault("notices", list(notices))
        notices.clear()
        print(json.dumps(words), flush=True)

    parameters = json.loads(sys.stdin.readline())
    try:
        connection = psycopg.connect(autocommit=True, connect_timeout=30, **parameters)
    except psycopg.Error as error:
        answer(rows=[], error=failure(error), status="BAD")
        return
    connection.add_notice_handler(
        lambda diag: notices.append(f"{diag.message_primary} {diag.message_detail} {diag.message_hint}")
    )
    answer(rows=[], error=None, status="IDLE")
    requests = queue.Queue()

    def work():
        while (request := requests.get()) is not None:
            error, rows = None, []
            try:
                rows = plain(run(connection, request))
            except psycopg.Error as raised:
                error = failure(raised)
            except Exception as raised:  # noqa: BLE001 - the test shall see it
                error = {"sqlstate": None, "message": repr(raised), "detail": None, "hint": None}
            answer(rows=rows, error=error, status=connection.info.transaction_status.name)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("op") == "cancel":
            connection.cancel()
        else:
            requests.put(request)
    requests.put(None)
    worker.join(5)


main()
