#!/usr/bin/env python3
"""What the gateway costs on PostgreSQL: direct, PgBouncer (session mode) and Sallyport in one run.

Every cell is pgbench through each of the three in turn, several rounds, and the median of each; the
figures to quote are the ratios, since all of it shares one machine. Policy, inspection, masking plans
and the recording are on, as `sallyport init` sets them.

    python3 bench/postgres.py --sallyport target/release/sallyport [--seconds 5] [--rounds 3] [--json]

Needs the programs of PostgreSQL 15 or newer and of PgBouncer. As root, both run as the user postgres.
"""

import argparse
import glob
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
    ("select, simple, 1 client", ["-S", "-M", "simple", "-c", "1", "-j", "1"]),
    ("select, simple, 8 clients", ["-S", "-M", "simple", "-c", "8", "-j", "2"]),
    ("select, extended, 8 clients", ["-S", "-M", "extended", "-c", "8", "-j", "2"]),
    ("select, prepared, 8 clients", ["-S", "-M", "prepared", "-c", "8", "-j", "2"]),
    ("connect + select, 4 clients", ["-S", "-C", "-c", "4", "-j", "2"]),
]
LARGE = "select i, i * 2, i::text, md5(i::text) from generate_series(1, 300000) i"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
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
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.children = []
        self.password = "bench-" + os.urandom(8).hex()

    def as_postgres(self, *command):
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if self.root else []
        return [*prefix, *command]

    def folder(self, name):
        path = os.path.join(self.dir, name)
        os.mkdir(path, 0o700)
        if self.root:
            shutil.chown(path, "postgres", "postgres")
        return path

    def start(self, command, **kwargs):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kwargs)
        self.children.append(child)

    def database(self):
        data = self.folder("pg")
        secret = os.path.join(self.dir, "password")
        with open(secret, "w") as f:
            f.write(self.password)
        init = self.as_postgres(f"{self.bin}/initdb", "-D", data, "-U", "app", "-A", "scram-sha-256", f"--pwfile={secret}")
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
        self.pg = free_port()
        self.start(self.as_postgres(f"{self.bin}/postgres", "-D", data, "-p", str(self.pg), "-k", data, "-c", "listen_addresses=127.0.0.1"))
        wait_for(self.pg)
        time.sleep(0.5)
        env = {**os.environ, "PGPASSWORD": self.password}
        at = ["-h", "127.0.0.1", "-p", str(self.pg), "-U", "app"]
        subprocess.run([f"{self.bin}/createdb", *at, "shop"], check=True, env=env)
        subprocess.run([f"{self.bin}/pgbench", *at, "-i", "-q", "-s", "10", "shop"], check=True, env=env, stderr=subprocess.DEVNULL)

    def pgbouncer(self):
        folder = self.folder("pgbouncer")
        self.bouncer = free_port()
        with open(os.path.join(folder, "users.txt"), "w") as f:
            f.write(f'"app" "{self.password}"\n')
        ini = os.path.join(folder, "pgbouncer.ini")
        with open(ini, "w") as f:
            f.write(
                f"[databases]\nshop = host=127.0.0.1 port={self.pg} user=app password={self.password}\n"
                f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.bouncer}\nauth_type = scram-sha-256\n"
                f"auth_file = {folder}/users.txt\npool_mode = session\nlogfile = {folder}/log\nunix_socket_dir =\n"
                "ignore_startup_parameters = extra_float_digits\nmax_client_conn = 200\ndefault_pool_size = 50\n"
            )
        if self.root:
            for name in os.listdir(folder):
                shutil.chown(os.path.join(folder, name), "postgres", "postgres")
        self.start(self.as_postgres(shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", ini))
        wait_for(self.bouncer)

    def gateway(self):
        folder = os.path.join(self.dir, "gateway")
        subprocess.run([self.sallyport, "init", folder], check=True, stdout=subprocess.DEVNULL)
        self.port, api = free_port(), free_port()
        config = os.path.join(folder, "sallyport.toml")
        with open(config, "w") as f:
            f.write(
                f'data_dir = "sallyport-data"\n[listen]\npostgres = "127.0.0.1:{self.port}"\napi = "127.0.0.1:{api}"\ntls = "off"\n'
                f'[[target]]\nname = "shop"\nprotocol = "postgres"\naddress = "127.0.0.1:{self.pg}"\ndatabase = "shop"\nuser = "app"\n'
                'credential = "env:BENCH_PASSWORD"\ntls = { mode = "disable" }\ntags = { env = "production" }\n'
                '[[principal]]\nname = "admin"\nkind = "human"\nroles = ["admin"]\n'
                '[[principal]]\nname = "bench"\nkind = "agent"\n[policy]\ndir = "policy"\n[masking]\nlabels = "labels.toml"\n'
            )
        self.start([self.sallyport, "serve", "--config", config], env={**os.environ, "BENCH_PASSWORD": self.password, "SALLYPORT_LOG": "warn"})
        wait_for(self.port)
        made = subprocess.run([self.sallyport, "tokens", "create", "bench", "--config", config], check=True, capture_output=True, text=True)
        self.token = made.stdout.split()[0]

    def ways(self):
        return [
            ("direct", self.pg, self.password),
            ("pgbouncer", self.bouncer, self.password),
            ("sallyport", self.port, self.token),
        ]

    def pgbench(self, way, arguments, seconds):
        _, port, password = way
        env = {**os.environ, "PGPASSWORD": password, "PGSSLMODE": "disable"}
        command = [f"{self.bin}/pgbench", "-h", "127.0.0.1", "-p", str(port), "-U", "app", "-n", "-T", str(seconds), *arguments, "shop"]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        tps = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode or not tps:
            sys.exit(f"pgbench failed through {way[0]}:\n{done.stdout}{done.stderr}")
        return float(tps.group(1))

    def large(self, way):
        _, port, password = way
        env = {**os.environ, "PGPASSWORD": password, "PGSSLMODE": "disable"}
        started = time.monotonic()
        command = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "app", "-qAt", "-c", LARGE, "shop"]
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            sys.exit(f"psql failed through {way[0]}: {done.stderr.decode()}")
        return len(done.stdout) / (time.monotonic() - started) / 1e6

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(10)
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
        bench.pgbouncer()
        bench.gateway()
        cells = [(name, "tps", lambda way, a=arguments: bench.pgbench(way, a, given.seconds)) for name, arguments in CELLS]
        cells.append(("300,000 rows of text, 1 client", "MB/s", bench.large))
        for name, unit, run in cells:
            rounds = {way[0]: [] for way in bench.ways()}
            for _ in range(given.rounds):
                for way in bench.ways():
                    rounds[way[0]].append(run(way))
            median = {way: statistics.median(values) for way, values in rounds.items()}
            results.append({"cell": name, "unit": unit, **median})
            if not given.json:
                print(
                    f"{name:32} {median['direct']:9.0f} {median['pgbouncer']:9.0f} {median['sallyport']:9.0f} {unit:4}"
                    f"  {median['sallyport'] / median['direct']:.2f} of direct, {median['sallyport'] / median['pgbouncer']:.2f} of pgbouncer",
                    flush=True,
                )
    finally:
        bench.stop()
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
