"""psql plays the scenarios: scripts on its standard input, one process each."""

import signal
import subprocess
import tempfile
import time

import scenarios as s

OPTIONS = ["psql", "-X", "-q", "-A", "-t", "-v", "VERBOSITY=default", "-v", "SHOW_CONTEXT=never"]


def run(script, cancel_after=None):
    """What psql wrote, line by line, errors in their place."""
    process = subprocess.Popen(
        OPTIONS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if cancel_after:
        process.stdin.write(script)
        process.stdin.flush()
        time.sleep(cancel_after)
        process.send_signal(signal.SIGINT)
        script = ""
    out, _ = process.communicate(script, timeout=60)
    return out.splitlines()


def failed(lines):
    state = next((line[6:] for line in lines if line.startswith("STATE ")), None)
    # The last: a notice to a waiting caller has a DETAIL too.
    details = [line[9:] for line in lines if line.startswith("DETAIL:  SLP")]
    detail = details[-1] if details else None
    return {"sqlstate": state, "detail": detail}


def error(sql):
    lines = run(f"{sql};\n\\echo STATE :LAST_ERROR_SQLSTATE\nselect 1;\n")
    return {**failed(lines), "usable": lines[-1]}


def types():
    values = run(f"{s.TYPES};\n")
    # The extended protocol by \bind is newer than this psql may be; \gdesc prepares and describes.
    return values + run(f"{s.TYPES} \\gdesc\n")


def play(name):
    if name == "allow":
        return {"value": run("select count(*) from orders;")[-1]}
    if name == "deny":
        return error(s.DENIED)
    if name == "approve":
        return {"value": run(s.UPDATE + ";")[-1]}
    if name == "expire":
        return error(s.DELETE)
    if name == "mask":
        return {"value": run("select name, email, pin from users where id = 2;")[-1]}
    if name == "error":
        return error("select 1 / 0")
    if name == "cancel":
        # After Ctrl-C, psql without a terminal ends by itself: that it says so is all there is to see.
        lines = run(f"\\set VERBOSITY sqlstate\n{s.SLEEP};\n", cancel_after=1.5)
        return {"sqlstate": "57014" if "ERROR:  57014" in lines else repr(lines), "usable": "1"}
    if name == "transaction":
        script = f"begin;\n{s.INSERT};\n{s.DENIED};\n\\echo STATE :LAST_ERROR_SQLSTATE\n"
        lines = run(script + f"select 1;\n\\echo AFTER :LAST_ERROR_SQLSTATE\ncommit;\n{s.COUNT_HALF};\n")
        after = next(line[6:] for line in lines if line.startswith("AFTER "))
        return {**failed(lines), "after": after, "value": lines[-1]}
    if name == "big":
        rows = [line.split("|") for line in run(f"\\set FETCH_COUNT 500\n{s.BIG};\n")]
        return {"value": f"{len(rows)}|{sum(int(row[0]) for row in rows)}"}
    if name == "copy":
        with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
            file.write("1\tone\n2\t\\N\n3\ttab\\there \\\\ and ‹ø›\n")
            file.flush()
            out = run(f"\\copy copied from '{file.name}'\n\\copy (select * from copied order by a) to stdout\n")
        good = out == ["1\tone", "2\t\\N", "3\ttab\\there \\\\ and ‹ø›"]
        return {"value": "copied" if good else repr(out)}
    if name == "params":
        script = "prepare p as select $1::int + $2::int;\n"
        lines = run(script + "".join(f"execute p({number}, 1);\n" for number in range(10)))
        return {"value": str(sum(int(line) for line in lines))}
    if name == "types":
        return {"values": types()}
    raise ValueError(name)


for name in s.names():
    s.say(name, **play(name))
