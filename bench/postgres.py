#!/usr/bin/env python3
"""What the gateway costs on PostgreSQL: direct, PgBouncer (session mode) and Sallyport in one run.

Every cell is pgbench through each of the three in turn, several rounds, the median of each and its spread;
the figures to quote are the ratios, since all of it shares one machine. The caller's side is TLS in all three
unless told otherwise, the target's side is not. Policy, inspection, masking plans, detectors and the
recording are on, as `sallyport init` sets them. Beside the rates stands what an operation takes of a
processor in the process between, which is steadier than they are.

    python3 bench/postgres.py --sallyport target/release/sallyport [--seconds 5] [--rounds 3] [--no-tls] [--only WORDS] [--json]

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

MODES = ["simple", "extended", "prepared"]
CELLS = [
    (f"select, {mode}, {clients} client{'s' * (clients > 1)}", ["-S", "-M", mode, "-c", str(clients), "-j", "2" if clients > 1 else "1"], "agent")
    for mode in MODES
    for clients in (1, 8, 32)
] + [
    ("TPC-B, simple, 8 clients", ["-c", "8", "-j", "2"], "service"),
    ("connect + select, 4 clients", ["-S", "-C", "-c", "4", "-j", "2"], "agent"),
]
# The table's text columns are read by the detectors, as a caller's would be.
LARGE = "select * from large"
ROWS = 1_000_000
MAKE_LARGE = f"""create table large as select i as id, i * 2 as twice, i * 1.5 as price, i::text as number, md5(i::text) as digest,
 now() as made, (i % 2 = 0) as even, 'order ' || i as note, 'open' as state, i % 100 as shop from generate_series(1, {ROWS}) i"""


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
    def __init__(self, sallyport, tls=True):
        self.tls = tls
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
        return child

    def certificate(self, folder):
        """A self-signed certificate that the process of that folder may read."""
        key, cert = os.path.join(folder, "bench.key"), os.path.join(folder, "bench.crt")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-keyout", key, "-out", cert],
            check=True, stderr=subprocess.DEVNULL,
        )
        os.chmod(key, 0o600)
        if self.root:
            for path in (key, cert):
                shutil.chown(path, "postgres", "postgres")
        return key, cert

    def environment(self, password):
        return {**os.environ, "PGPASSWORD": password, "PGSSLMODE": "require" if self.tls else "disable"}

    def database(self):
        data = self.folder("pg")
        secret = os.path.join(self.dir, "password")
        with open(secret, "w") as f:
            f.write(self.password)
        init = self.as_postgres(f"{self.bin}/initdb", "-D", data, "-U", "app", "-A", "scram-sha-256", f"--pwfile={secret}")
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
        self.pg = free_port()
        key, cert = self.certificate(data)
        secure = ["-c", "ssl=on", "-c", f"ssl_key_file={key}", "-c", f"ssl_cert_file={cert}"] if self.tls else []
        self.start(self.as_postgres(f"{self.bin}/postgres", "-D", data, "-p", str(self.pg), "-k", data, "-c", "listen_addresses=127.0.0.1", *secure))
        wait_for(self.pg)
        time.sleep(0.5)
        env = {**os.environ, "PGPASSWORD": self.password}
        at = ["-h", "127.0.0.1", "-p", str(self.pg), "-U", "app"]
        subprocess.run([f"{self.bin}/createdb", *at, "shop"], check=True, env=env)
        subprocess.run(["psql", *at, "-qXc", MAKE_LARGE, "shop"], check=True, env=env)
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
                "server_tls_sslmode = disable\n"
            )
            if self.tls:
                key, cert = self.certificate(folder)
                f.write(f"client_tls_sslmode = require\nclient_tls_key_file = {key}\nclient_tls_cert_file = {cert}\n")
        if self.root:
            for name in os.listdir(folder):
                shutil.chown(os.path.join(folder, name), "postgres", "postgres")
        self.between = {"pgbouncer": self.start(self.as_postgres(shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", ini))}
        wait_for(self.bouncer)

    def gateway(self):
        folder = os.path.join(self.dir, "gateway")
        subprocess.run([self.sallyport, "init", folder], check=True, stdout=subprocess.DEVNULL)
        self.port, api = free_port(), free_port()
        config = os.path.join(folder, "sallyport.toml")
        listen = "" if self.tls else 'tls = "off"'
        # The same database three times: as it is, with nothing to read in its large table and the digest of
        # results alone, and with three labelled columns.
        targets = "".join(
            f'[[target]]\nname = "{name}"\nprotocol = "postgres"\naddress = "127.0.0.1:{self.pg}"\ndatabase = "shop"\nuser = "app"\n'
            'credential = "env:BENCH_PASSWORD"\ntls = { mode = "disable" }\ntags = { env = "production" }\n'
            for name in ("shop", "shop-revealed", "shop-labelled")
        )
        with open(config, "w") as f:
            f.write(
                f'data_dir = "sallyport-data"\n[listen]\npostgres = "127.0.0.1:{self.port}"\napi = "127.0.0.1:{api}"\n{listen}\n'
                f'{targets}[recording]\n[[recording.target]]\nname = "shop-revealed"\nresults = "digest"\n'
                '[[principal]]\nname = "admin"\nkind = "human"\nroles = ["admin"]\n'
                '[[principal]]\nname = "bench"\nkind = "agent"\n[[principal]]\nname = "writer"\nkind = "service"\n[policy]\ndir = "policy"\n[masking]\nlabels = "labels.toml"\n'
            )
        # TPC-B writes, which the starting policy holds; a service gets a rule of its own.
        with open(os.path.join(folder, "policy", "bench.cedar"), "w") as f:
            f.write(
                '@id("services-connect")\npermit (principal is Service, action == Action::"connect", resource);\n'
                '@id("services-run")\npermit (principal is Service, action in Action::"sql", resource);\n'
                '@id("bench-reveals")\npermit (principal, action == Action::"reveal", resource == Label::"bench.plain");\n'
            )
        with open(os.path.join(folder, "labels.toml"), "a") as f:
            f.write(
                '\n[[label]]\nname = "bench.plain"\ncolumns = ["shop-revealed/*/public.large.*"]\n'
                '[[label]]\nname = "bench.label"\ncolumns = ["shop-labelled/*/public.large.n*", "shop-labelled/*/public.large.digest"]\n'
            )
        environment = {**os.environ, "BENCH_PASSWORD": self.password, "SALLYPORT_LOG": "warn"}
        self.between["sallyport"] = self.start([self.sallyport, "serve", "--config", config], env=environment)
        wait_for(self.port)
        wait_for(api)
        self.tokens = {}
        for kind, name in (("agent", "bench"), ("service", "writer")):
            command = [self.sallyport, "tokens", "create", name, "--config", config]
            made = subprocess.run(command, check=True, capture_output=True, text=True)
            self.tokens[kind] = made.stdout.split()[0]

    def ways(self, kind="agent"):
        return [
            ("direct", self.pg, self.password),
            ("pgbouncer", self.bouncer, self.password),
            ("sallyport", self.port, self.tokens[kind]),
        ]

    def processor(self, way):
        """Seconds that the process between has had of a processor."""
        child = self.between.get(way)
        if child is None:
            return 0.0
        with open(f"/proc/{child.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def pgbench(self, way, arguments, seconds):
        _, port, password = way
        env = self.environment(password)
        command = [f"{self.bin}/pgbench", "-h", "127.0.0.1", "-p", str(port), "-U", "app", "-n", "-T", str(seconds), *arguments, "shop"]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        tps = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode or not tps:
            sys.exit(f"pgbench failed through {way[0]}:\n{done.stdout}{done.stderr}")
        return float(tps.group(1))

    def large(self, way, target="shop"):
        name, port, password = way
        database = target if name == "sallyport" else "shop"
        env = self.environment(password)
        started = time.monotonic()
        command = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "app", "-qAt", "-c", LARGE, database]
        taken = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        size = sum(len(chunk) for chunk in iter(lambda: taken.stdout.read(1 << 20), b""))
        if taken.wait():
            sys.exit(f"psql failed through {way[0]}: {taken.stderr.read().decode()}")
        return size / (time.monotonic() - started) / 1e6

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
    options.add_argument("--no-tls", action="store_true")
    options.add_argument("--only", default="", help="cells whose name has these words")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    bench = Bench(given.sallyport, not given.no_tls)
    results = []
    try:
        bench.database()
        bench.pgbouncer()
        bench.gateway()
        cells = [(name, "tps", kind, lambda way, a=arguments: bench.pgbench(way, a, given.seconds)) for name, arguments, kind in CELLS]
        for more, target in (("", "shop"), (", revealed, digest", "shop-revealed"), (", 3 labelled", "shop-labelled")):
            name = f"{ROWS:,} rows of 10 columns{more}"
            cells.append((name, "MB/s", "agent", lambda way, t=target: bench.large(way, t)))
        for name, unit, kind, run in cells:
            if given.only not in name:
                continue
            rounds = {way[0]: [] for way in bench.ways()}
            costs = {way[0]: [] for way in bench.ways()}
            for _ in range(given.rounds):
                for way in bench.ways(kind):
                    before = bench.processor(way[0])
                    rate = run(way)
                    rounds[way[0]].append(rate)
                    operations = rate * given.seconds if unit == "tps" else ROWS
                    costs[way[0]].append((bench.processor(way[0]) - before) / operations * 1e6)
            median = {way: statistics.median(values) for way, values in rounds.items()}
            spread = {way: (max(values) - min(values)) / median[way] for way, values in rounds.items()}
            cost = {way: statistics.median(costs[way]) for way in ("pgbouncer", "sallyport")}
            results.append({"cell": name, "unit": unit, **median, "spread": spread, "processor_us": cost})
            if not given.json:
                print(
                    f"{name:36} {median['direct']:9.0f} {median['pgbouncer']:9.0f} {median['sallyport']:9.0f} {unit:4}"
                    f"  {median['sallyport'] / median['direct']:.2f} of direct, {median['sallyport'] / median['pgbouncer']:.2f} of pgbouncer"
                    f"  ±{max(spread.values()) * 50:.0f} %  {cost['pgbouncer']:6.1f} {cost['sallyport']:6.1f} µs",
                    flush=True,
                )
    finally:
        bench.stop()
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
