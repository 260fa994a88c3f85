#!/usr/bin/env python3
"""The gateway under many connections at once: does it leak, do sessions get stuck, is anything unrecorded.

    python3 bench/load.py --sallyport target/release/sallyport [--connections 2000] [--minutes 10] [--json]

All callers speak TLS. First all of them connect and do nothing: what the gateway's memory grows by, divided
by their number, is the memory of an idle connection. Then half stay idle, a tenth read a large result slowly,
a tenth wait for an approval that nobody gives, the rest work; workers vanish at random, without a goodbye,
and come back. At the end everybody leaves, and then:

- every marked insert that the server has run stands in the recording, whatever became of its caller;
- no session is left, at the gateway or at the server;
- open files are what they were, and memory has not grown since the first connections closed.

The server is started with as many connections as are asked for: some 4 MiB each. Only Python's standard
library, the programs of PostgreSQL and the gateway are needed. Exit code 1 when something does not hold.
"""

import argparse
import asyncio
import collections
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import tempfile
import time

SQL = """
create table done (client int, n int);
create table held (id int primary key, n int);
insert into held select n, 0 from generate_series(1, 10000) n;
"""
POLICY = """
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("updates-held") @hold("dba") permit (principal, action == Action::"sql:update", resource);
"""
# A result that no socket's buffers hold.
LARGE = b"select n, repeat('x', 200) from generate_series(1, 100000) n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nothing listens on {port}")


class Stage:
    """A server and a gateway before it, in a folder of their own."""

    def __init__(self, sallyport, connections):
        self.sallyport = os.path.abspath(sallyport)
        self.connections = connections
        self.dir = tempfile.mkdtemp(prefix="sallyport-load-")
        os.chmod(self.dir, 0o755)
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.children = []

    def as_postgres(self, *command):
        root = os.geteuid() == 0
        return [*(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if root else []), *command]

    def psql(self, sql):
        at = [f"{self.bin}/psql", "-XqAt", "-h", self.data, "-p", str(self.pg), "-U", "app", "-d", "postgres", "-c", sql]
        return subprocess.run(at, check=True, capture_output=True, text=True).stdout.strip()

    def server(self):
        self.data = os.path.join(self.dir, "pg")
        os.mkdir(self.data, 0o700)
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres", "postgres")
        init = [f"{self.bin}/initdb", "-D", self.data, "-U", "app", "-A", "trust", "-N"]
        subprocess.run(self.as_postgres(*init), check=True, stdout=subprocess.DEVNULL)
        self.pg = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "max_connections": self.connections + 50,
            "shared_buffers": "64MB",
            "fsync": "off",
            "autovacuum": "off",
            "unix_socket_directories": self.data,
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        log = open(os.path.join(self.dir, "pg.log"), "w")
        command = self.as_postgres(f"{self.bin}/postgres", "-D", self.data, "-p", str(self.pg), *words)
        self.children.append(subprocess.Popen(command, stdout=log, stderr=log))
        wait_for(self.pg)
        time.sleep(1)
        self.psql(SQL)

    def gateway(self):
        house = os.path.join(self.dir, "gw")
        subprocess.run([self.sallyport, "init", house], check=True, stdout=subprocess.DEVNULL)
        policy = os.path.join(house, "policy")
        shutil.rmtree(policy)
        os.mkdir(policy)
        with open(os.path.join(policy, "load.cedar"), "w") as f:
            f.write(POLICY)
        self.house, self.port, api = house, free_port(), free_port()
        with open(os.path.join(house, "sallyport.toml"), "w") as f:
            f.write(
                f'data_dir = "sallyport-data"\n[listen]\npostgres = "127.0.0.1:{self.port}"\napi = "127.0.0.1:{api}"\n'
                f'[[target]]\nname = "shop"\nprotocol = "postgres"\naddress = "127.0.0.1:{self.pg}"\n'
                'database = "postgres"\nuser = "app"\ncredential = "none"\ntls = { mode = "disable" }\n'
                '[[principal]]\nname = "admin"\nkind = "human"\nroles = ["admin", "viewer", "auditor"]\n'
                '[[principal]]\nname = "worker"\nkind = "service"\n'
                '[policy]\ndir = "policy"\n[recording]\ndurability = "auto"\n'
                f"[limits]\nmax_connections = {self.connections + 50}\n"
                f"max_connections_per_address = {self.connections + 50}\n"
                'handshake = "120s"\nhold_wait = "20s"\n'
            )
        self.log = open(os.path.join(self.dir, "gateway.log"), "w")
        config = os.path.join(house, "sallyport.toml")
        self.process = subprocess.Popen([self.sallyport, "serve", "--config", config], stderr=self.log)
        self.children.append(self.process)
        wait_for(self.port)
        token = open(os.path.join(house, "sallyport-data/admin.token")).read().strip()
        self.env = {**os.environ, "SALLYPORT_URL": f"http://127.0.0.1:{api}", "SALLYPORT_TOKEN": token}
        made = subprocess.run([self.sallyport, "tokens", "create", "worker"], check=True, capture_output=True, text=True, env=self.env)
        self.token = made.stdout.strip()

    def memory(self):
        status = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def backends(self):
        return int(self.psql("select count(*) from pg_stat_activity where application_name like 'sallyport worker%'"))

    def warnings(self):
        """What the gateway has logged beside its everyday, counted."""
        said = collections.Counter()
        for line in open(self.log.name):
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"level": "?", "message": line.strip()}
            if entry.get("level") != "INFO" or entry.get("reason") not in (None, "the caller left"):
                said[f"{entry.get('message')} {entry.get('reason', '')} {entry.get('error', '')} {entry.get('detail', '')}"[:160]] += 1
        return dict(said.most_common(10))

    def stop_gateway(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)

    def recorded(self):
        """The marks of every insert in the recording, by an index made anew from the recording alone."""
        config = os.path.join(self.house, "sallyport.toml")
        for command in (["recording", "verify"], ["recording", "reindex"]):
            subprocess.run([self.sallyport, *command, "--config", config], check=True, stdout=subprocess.DEVNULL)
        index = sqlite3.connect(os.path.join(self.house, "sallyport-data/search.db"))
        rows = index.execute("select text from operations where text like 'insert into done values%'")
        return {tuple(map(int, re.search(r"\((\d+), (\d+)\)", text).groups())) for (text,) in rows}

    def down(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
                try:
                    child.wait(30)
                except subprocess.TimeoutExpired:
                    child.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


def message(tag, body):
    return tag + struct.pack("!i", len(body) + 4) + body


class Connection:
    """As much of the protocol as a caller under load needs."""

    def __init__(self, stage, context):
        self.stage, self.context = stage, context

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.stage.port, ssl=self.context, server_hostname="localhost", limit=1 << 14
        )
        body = struct.pack("!i", 3 << 16) + b"user\0x\0database\0shop\0\0"
        self.writer.write(struct.pack("!i", len(body) + 4) + body)
        while True:
            tag, body = await self.read()
            if tag == b"R" and body[:4] == b"\0\0\0\3":
                self.writer.write(message(b"p", self.stage.token.encode() + b"\0"))
            elif tag == b"E":
                raise ConnectionError(body)
            elif tag == b"Z":
                return self

    async def read(self):
        head = await self.reader.readexactly(5)
        length = struct.unpack("!i", head[1:])[0] - 4
        return head[:1], await self.reader.readexactly(length)

    async def query(self, sql, slowly=0.0):
        """Runs a query; whether it succeeded."""
        self.writer.write(message(b"Q", sql + b"\0"))
        good, read = True, 0
        while True:
            tag, body = await self.read()
            read += len(body)
            good &= tag != b"E"
            if tag == b"Z":
                return good
            if slowly and read > 1 << 16:
                read = 0
                await asyncio.sleep(slowly)

    def vanish(self):
        self.writer.transport.abort()

    async def close(self):
        self.writer.write(message(b"X", b""))
        self.writer.close()


class Load:
    def __init__(self, stage, minutes):
        self.stage, self.until = stage, minutes * 60
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["postgresql"])
        self.context = context
        self.done = self.vanished = self.refused = self.slow = 0
        self.errors = []

    async def connect_all(self, count):
        gate = asyncio.Semaphore(20)

        async def one():
            async with gate:
                return await Connection(self.stage, self.context).open()

        return await asyncio.gather(*(one() for _ in range(count)))

    async def worker(self, number, connection):
        n = 0
        while time.monotonic() < self.end:
            n += 1
            await connection.query(f"insert into done values ({number}, {n})".encode())
            await connection.query(b"select count(*) from held where id < 100")
            self.done += 1
            if random.random() < 0.02:
                # In the middle of something, mostly.
                connection.writer.write(message(b"Q", f"insert into done values ({number}, {n + 1000000})\0".encode()))
                await asyncio.sleep(random.random() / 100)
                connection.vanish()
                self.vanished += 1
                connection = await Connection(self.stage, self.context).open()
            await asyncio.sleep(random.random())
        await connection.close()

    async def reader(self, _, connection):
        while time.monotonic() < self.end:
            task = asyncio.ensure_future(connection.query(LARGE, slowly=0.5))
            done, _pending = await asyncio.wait([task], timeout=max(1, self.end - time.monotonic()))
            if not done:
                task.cancel()
                connection.vanish()
                return
            task.result()
            self.slow += 1
        await connection.close()

    async def holder(self, number, connection):
        while time.monotonic() < self.end:
            if not await connection.query(f"update held set n = n + 1 where id = {number}".encode()):
                self.refused += 1
        await connection.close()

    async def idler(self, _, connection):
        await asyncio.sleep(max(0, self.end - time.monotonic()))
        await connection.close()

    async def guarded(self, role, number, connection):
        try:
            await role(number, connection)
        except (OSError, asyncio.IncompleteReadError, ConnectionError) as error:
            self.errors.append(f"{role.__name__}: {type(error).__name__} {error}"[:200])

    async def run(self):
        stage = self.stage
        report = {"connections": stage.connections, "minutes": self.until / 60}
        for connection in await self.connect_all(10):
            await connection.query(b"select 1")
            await connection.close()
        await asyncio.sleep(3)
        before, files_before = stage.memory(), stage.files()
        started = time.monotonic()
        connections = await self.connect_all(stage.connections)
        report["connected_in_s"] = round(time.monotonic() - started, 1)
        await asyncio.sleep(5)
        report["idle_kib_each"] = round((stage.memory() - before) / stage.connections, 1)
        self.end = time.monotonic() + self.until
        roles = [self.idler] * 5 + [self.reader, self.holder] + [self.worker] * 3
        playing = [
            asyncio.ensure_future(self.guarded(roles[number % 10], number, connection))
            for number, connection in enumerate(connections)
        ]
        highest = 0
        while not all(one.done() for one in playing):
            highest = max(highest, stage.memory())
            await asyncio.sleep(2)
            if time.monotonic() > self.end + 120:
                report["stuck"] = sum(not one.done() for one in playing)
                break
        await asyncio.sleep(10)
        report.update(
            done=self.done, vanished=self.vanished, held_and_refused=self.refused, slow_results=self.slow,
            errors=len(self.errors), first_errors=self.errors[:3],
            rss_mib={"before": before >> 10, "highest": highest >> 10, "after": stage.memory() >> 10},
            files={"before": files_before, "after": stage.files()}, sessions_left=stage.backends(),
        )
        return report


def judge(stage, report):
    """What does not hold."""
    ran = {tuple(map(int, line.split("|"))) for line in stage.psql("select client, n from done").splitlines()}
    stage.stop_gateway()
    report["warnings"] = stage.warnings()
    recorded = stage.recorded()
    report["inserts_run"], report["unrecorded"] = len(ran), len(ran - recorded)
    wrong = []
    if report["unrecorded"] or not ran:
        wrong.append("the server has run what the recording does not hold")
    if report.get("stuck"):
        wrong.append("sessions are stuck")
    if report["sessions_left"]:
        wrong.append("sessions are left at the server")
    if report["files"]["after"] > report["files"]["before"] + 10:
        wrong.append("files are left open")
    if report["errors"]:
        wrong.append("callers saw their connections break")
    report["wrong"] = wrong
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sallyport", required=True)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    import resource

    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    stage = Stage(arguments.sallyport, arguments.connections)
    try:
        stage.server()
        stage.gateway()
        report = asyncio.run(Load(stage, arguments.minutes).run())
        wrong = judge(stage, report)
    finally:
        stage.down()
    if arguments.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name:18} {value}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
