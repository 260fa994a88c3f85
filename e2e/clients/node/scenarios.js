// What the Node.js clients share: where to connect, which scenarios to play, and the line each prints.
"use strict";

const env = process.env;

exports.place = {
  host: env.PGHOST,
  port: Number(env.PGPORT),
  database: env.PGDATABASE,
  user: env.PGUSER,
  password: env.PGPASSWORD,
  ssl: env.PGSSLMODE === "disable" ? false : { rejectUnauthorized: false },
};
exports.DENIED = "truncate orders";
exports.UPDATE = "update orders set status = 'paid' where id = 3 returning status";
exports.DELETE = "delete from orders where id = 4";
exports.INSERT = "insert into orders values (900, 1, 1, 'half')";
exports.COUNT_HALF = "select count(*)::int as value from orders where id = 900";
exports.BIG = "select n, repeat('x', 50) from generate_series(1, 20000) n";
exports.SLEEP = "select pg_sleep(20)";
exports.COPIED = "1\tone\n2\t\\N\n3\ttab\\there \\\\ and ‹ø›\n";

exports.play = async (scenarios) => {
  for (const name of env.SCENARIOS.split(",")) {
    const words = await scenarios[name]();
    process.stdout.write(JSON.stringify({ scenario: name, ...words }) + "\n");
  }
};
