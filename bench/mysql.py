#!/usr/bin/env python3
"""What the gateway costs on MariaDB: direct, HAProxy (TCP) and Sallyport in one run.

Every cell is sysbench through each of the three in turn, several rounds, and the median of each; the figures to
quote are the ratios, since all of it shares one machine. Policy, inspection, masking plans and the recording are
on, as `sallyport init` sets them. HAProxy only copies bytes: it is the cost of one more hop.

    python3 bench/mysql.py --sallyport target/release/sallyport [--seconds 5] [--rounds 3] [--json]

Needs mariadb-server, mariadb-client, sysbench and haproxy. As root, the server runs as the user mysql.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

CELLS = [
    (f"{name}, {threads} thread{'s' if threads > 1 else ''}", script, threads)
    for name, script in [("point select", "oltp_point_select"), ("read only", "oltp_read_only")]
    for threads in (1, 8, 32)
]
ROWS = 100_000
LARGE = "select id, k, c, pad from sbtest1"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on {port}")


class Bench:
    def __init__(self, sallyport):
        self.sallyport = os.path.abspath(sallyport)
        self.root = os.geteuid() == 0
        self.dir = tempfile.mkdtemp(prefix="sallyport-bench-")
        os.chmod(self.dir, 0o755)
        self.children = []
        self.password = "bench-" + os.urandom(8).hex()

    def start(self, command, **kwargs):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kwargs)
        self.children.append(child)

    def database(self):
        home = os.path.join(self.dir, "mariadb")
        os.mkdir(home, 0o755)
        user = ["--user=mysql"] if self.root else []
        if self.root:
            shutil.chown(home, "mysql", "mysql")
        data = os.path.join(home, "data")
        made = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db", *user]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.db = free_port()
        server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        self.start([
            server, "--no-defaults", f"--datadir={data}", f"--port={self.db}", "--bind-address=127.0.0.1",
            f"--socket={home}/socket", f"--pid-file={home}/pid", "--innodb-buffer-pool-size=256M",
            "--skip-name-resolve", "--max-connections=300", *user,
        ])
        wait_for(self.db)
        setup = (
            "CREATE DATABASE shop; CREATE USER app@'127.0.0.1' IDENTIFIED BY "
            f"'{self.password}'; GRANT ALL ON *.* TO app@'127.0.0.1';"
        )
        subprocess.run(["mariadb", "--no-defaults", "-S", f"{home}/socket", "-uroot", "-e", setup], check=True)
        self.sysbench(("direct", self.db, "app", self.password), "oltp_read_only", ["prepare"], 1, check=False)

    def haproxy(self):
        self.proxy = free_port()
        config = os.path.join(self.dir, "haproxy.cfg")
        with open(config, "w") as f:
            f.write(
                "defaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n"
                f"listen db\n bind 127.0.0.1:{self.proxy}\n server one 127.0.0.1:{self.db}\n"
            )
        self.start([shutil.which("haproxy") or "/usr/sbin/haproxy", "-f", config])
        wait_for(self.proxy)

    def gateway(self):
        folder = os.path.join(self.dir, "gateway")
        subprocess.run([self.sallyport, "init", folder], check=True, stdout=subprocess.DEVNULL)
        self.port, api, postgres = free_port(), free_port(), free_port()
        config = os.path.join(folder, "sallyport.toml")
        with open(config, "w") as f:
            f.write(
                f'data_dir = "sallyport-data"\n[listen]\npostgres = "127.0.0.1:{postgres}"\nmysql = "127.0.0.1:{self.port}"\n'
                f'api = "127.0.0.1:{api}"\ntls = "off"\n'
                f'[[target]]\nname = "shop"\nprotocol = "mysql"\naddress = "127.0.0.1:{self.db}"\ndatabase = "shop"\nuser = "app"\n'
                'credential = "env:BENCH_PASSWORD"\ntls = { mode = "disable" }\ntags = { env = "production" }\n'
                '[[principal]]\nname = "admin"\nkind = "human"\nroles = ["admin"]\n'
                '[[principal]]\nname = "bench"\nkind = "agent"\n[policy]\ndir = "policy"\n[masking]\nlabels = "labels.toml"\n'
            )
        self.start([self.sallyport, "serve", "--config", config], env={**os.environ, "BENCH_PASSWORD": self.password, "SALLYPORT_LOG": "warn"})
        wait_for(self.port)
        wait_for(api)
        made = subprocess.run([self.sallyport, "tokens", "create", "bench", "--config", config], check=True, capture_output=True, text=True)
        # sysbench's client loads the plugin for tokens once a thread, and fails when two do at a time.
        asked = [self.sallyport, "token", "password", "shop", "--config", config, "--json"]
        env = {**os.environ, "SALLYPORT_TOKEN": made.stdout.split()[0]}
        self.own = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True, env=env).stdout)

    def ways(self):
        return [
            ("direct", self.db, "app", self.password),
            ("haproxy", self.proxy, "app", self.password),
            ("sallyport", self.port, self.own["username"], self.own["password"]),
        ]

    def sysbench(self, way, script, arguments, threads, check=True):
        name, port, user, password = way
        command = [
            "sysbench", script, "--db-driver=mysql", "--mysql-host=127.0.0.1", f"--mysql-port={port}", f"--mysql-user={user}",
            f"--mysql-password={password}", "--mysql-db=shop", "--tables=1", f"--table-size={ROWS}", f"--threads={threads}",
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or "FATAL" in done.stdout + done.stderr:
            sys.exit(f"sysbench failed through {name}:\n{done.stdout}{done.stderr}")
        found = re.search(r"queries:\s+\d+\s+\(([0-9.]+) per sec", done.stdout)
        if check and not found:
            sys.exit(f"sysbench said no rate through {name}:\n{done.stdout}{done.stderr}")
        return float(found.group(1)) if found else 0.0

    def large(self, way):
        name, port, user, password = way
        command = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{port}", f"-u{user}", "--skip-ssl", "--quick", "-N", "-B", "-e", LARGE, "shop"]
        started = time.monotonic()
        done = subprocess.run(command, env={**os.environ, "MYSQL_PWD": password}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            sys.exit(f"mariadb failed through {name}: {done.stderr.decode()}")
        return len(done.stdout) / (time.monotonic() - started) / 1e6

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--sallyport", default="target/release/sallyport")
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    bench = Bench(given.sallyport)
    results = []
    try:
        bench.database()
        bench.haproxy()
        bench.gateway()
        cells = [
            (name, "q/s", lambda way, s=script, t=threads: bench.sysbench(way, s, [f"--time={given.seconds}", "run"], t))
            for name, script, threads in CELLS
        ]
        cells.append((f"{ROWS:,} rows of text, 1 client", "MB/s", bench.large))
        for name, unit, run in cells:
            rounds = {way[0]: [] for way in bench.ways()}
            for _ in range(given.rounds):
                for way in bench.ways():
                    rounds[way[0]].append(run(way))
            median = {way: statistics.median(values) for way, values in rounds.items()}
            results.append({"cell": name, "unit": unit, **median})
            if not given.json:
                print(
                    f"{name:32} {median['direct']:9.0f} {median['haproxy']:9.0f} {median['sallyport']:9.0f} {unit:4}"
                    f"  {median['sallyport'] / median['direct']:.2f} of direct, {median['sallyport'] / median['haproxy']:.2f} of haproxy",
                    flush=True,
                )
    finally:
        bench.stop()
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
