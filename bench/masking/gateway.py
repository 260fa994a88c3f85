#!/usr/bin/env python3
"""What masking adds on the way through the gateway.

A table of 1,000 rows of 30 columns (texts, numbers, days, JSON, UUIDs; three of them labelled, the others read
by detectors where they are texts) is read through the gateway and from the server itself, turn by turn, in
text and in binary format. Printed are the medians of each and the milliseconds that the gateway adds per
1,000 rows; beside it the same of 30 numbers, which nothing reads: that is the way itself.

    python3 bench/masking/gateway.py --direct DSN --gateway DSN [--rounds 60]

The first DSN must be allowed to create the table `masking_bench`; the gateway's labels must name its columns
c0, c1 and c2, for example:

    [[label]]
    name = "bench.label"
    columns = ["*/*/public.masking_bench.c*"]
"""

import argparse
import json
import statistics
import time

import psycopg

ROWS = 1000

TEXTS = ["shipped to the north gate", "two of five arrived", "ORD-2024-00{n}", "blue / large", "see note {n}"]


def columns():
    """Name, type and value of the n-th row, thirty times."""
    yield "c0", "text", lambda n: f"person{n}@example.com"
    yield "c1", "text", lambda n: f"Ann Example {n}"
    yield "c2", "date", lambda n: f"19{50 + n % 50}-01-{1 + n % 28:02}"
    for k in range(12):
        yield f"t{k}", "text", lambda n, k=k: TEXTS[(n + k) % len(TEXTS)].replace("{n}", str(n))
    for k in range(6):
        yield f"i{k}", "int", lambda n, k=k: n * (k + 1)
    for k in range(3):
        yield f"n{k}", "numeric(12,2)", lambda n, k=k: f"{n * 17 % 9973}.{n % 100:02}"
    for k in range(3):
        yield f"m{k}", "timestamptz", lambda n: f"2024-05-{1 + n % 28:02} 12:{n % 60:02}:00+00"
    yield "u0", "uuid", lambda n: f"0188a1b2-c3d4-7e5f-8a6b-{n:012}"
    yield "b0", "boolean", lambda n: n % 3 == 0
    yield "j0", "jsonb", lambda n: json.dumps({"state": "open", "lines": [n, n + 1], "by": "agent"})


def make(connection):
    every = list(columns())
    assert len(every) == 30, len(every)
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists masking_bench")
        cursor.execute("create table masking_bench (" + ", ".join(f"{c} {t}" for c, t, _ in every) + ")")
        marks = ", ".join(["%s"] * len(every))
        for n in range(ROWS):
            cursor.execute(f"insert into masking_bench values ({marks})", [make(n) for _, _, make in every])
        cursor.execute("grant select on masking_bench to public")
    connection.commit()


def once(connection, sql, binary):
    begun = time.perf_counter()
    with connection.cursor(binary=binary) as cursor:
        cursor.execute(sql)
        # The rows as they came: what a driver makes of them is not what is measured.
        result = cursor.pgresult
        assert result.ntuples == ROWS, result.ntuples
    return (time.perf_counter() - begun) * 1000


def measure(direct, gateway, sql, binary, rounds):
    times = ([], [])
    for number in range(rounds + 5):
        for connection, kept in zip((direct, gateway), times):
            took = once(connection, sql, binary)
            if number >= 5:
                kept.append(took)
    return [statistics.median(kept) for kept in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--direct", required=True)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with psycopg.connect(given.direct) as direct:
        make(direct)
        direct.autocommit = True
        with psycopg.connect(given.gateway, autocommit=True) as gateway:
            # The gateway has to have seen the new table.
            deadline = time.monotonic() + 60
            while True:
                row = gateway.execute("select c0 from masking_bench limit 1").fetchone()
                if row and row[0].startswith("‹"):
                    break
                assert time.monotonic() < deadline, f"c0 is not labelled: {row}"
                time.sleep(1)
            plain = "select " + ", ".join(f"i0 as a{k}" for k in range(30)) + " from masking_bench"
            answers = {}
            for name, sql in [("30 columns, masked", "select * from masking_bench"), ("30 numbers, unread", plain)]:
                for binary in (False, True):
                    straight, through = measure(direct, gateway, sql, binary, given.rounds)
                    answers[f"{name}, {'binary' if binary else 'text'}"] = {
                        "direct_ms": round(straight, 2),
                        "gateway_ms": round(through, 2),
                        "added_ms_per_1000_rows": round(through - straight, 2),
                    }
    if given.json:
        print(json.dumps(answers, indent=2))
        return
    for name, answer in answers.items():
        print(f"{name:28} direct {answer['direct_ms']:7.2f} ms   gateway {answer['gateway_ms']:7.2f} ms   "
              f"added {answer['added_ms_per_1000_rows']:6.2f} ms")


if __name__ == "__main__":
    main()
