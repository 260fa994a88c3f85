// node-postgres plays the scenarios. MODE: plain (simple where it can), prepared (named statements),
// cursor (pg-cursor for rows), stream (pg-query-stream for rows).
"use strict";

const { Client } = require("pg");
const Cursor = require("pg-cursor");
const QueryStream = require("pg-query-stream");
const copyStreams = require("pg-copy-streams");
const { pipeline } = require("node:stream/promises");
const { Readable } = require("node:stream");
const s = require("./scenarios.js");

const mode = process.env.MODE || "plain";
let count = 0;

async function rows(client, text, values) {
  if (mode === "prepared") {
    // The same text under the same name is prepared once and bound many times.
    const name = "q" + Buffer.from(text).toString("base64").slice(0, 40);
    return (await client.query({ name, text, values })).rows;
  }
  if (mode === "cursor") {
    const cursor = client.query(new Cursor(text, values || []));
    const found = await cursor.read(100);
    await cursor.close();
    return found;
  }
  if (mode === "stream") {
    const found = [];
    for await (const row of client.query(new QueryStream(text, values || [], { batchSize: 10 }))) found.push(row);
    return found;
  }
  return (await client.query(text, values)).rows;
}

async function errorOf(client, text) {
  try {
    await rows(client, text);
    return { sqlstate: null };
  } catch (error) {
    return { sqlstate: error.code, detail: error.detail };
  }
}

async function main() {
  const client = new Client(s.place);
  await client.connect();
  const one = async (text, values) => Object.values((await rows(client, text, values))[0])[0];
  const usable = async () => String(await one("select 1 as value"));
  await s.play({
    allow: async () => ({ value: String(await one("select count(*) from orders")) }),
    deny: async () => ({ ...(await errorOf(client, s.DENIED)), usable: await usable() }),
    approve: async () => ({ value: await one(s.UPDATE) }),
    expire: async () => ({ ...(await errorOf(client, s.DELETE)), usable: await usable() }),
    mask: async () => {
      const row = (await rows(client, "select name, email, pin from users where id = $1", [2]))[0];
      return { value: Object.values(row).map((cell) => cell ?? "").join("|") };
    },
    error: async () => ({ ...(await errorOf(client, "select 1 / 0")), usable: await usable() }),
    cancel: async () => {
      // node-postgres cancels by a client of its own that sends the CancelRequest.
      const other = new Client(s.place);
      const running = client.query(s.SLEEP).then(
        () => ({ sqlstate: null }),
        (error) => ({ sqlstate: error.code }),
      );
      await new Promise((done) => setTimeout(done, 700));
      other.connection.once("connect", () => other.connection.cancel(client.processID, client.secretKey));
      other.connection.on("error", () => {});
      other.connection.connect(s.place.port, s.place.host);
      const said = await running;
      return { ...said, usable: await usable() };
    },
    transaction: async () => {
      await client.query("begin");
      await client.query(s.INSERT);
      const said = await errorOf(client, s.DENIED);
      said.after = (await errorOf(client, "select 1")).sqlstate;
      await client.query("rollback");
      return { ...said, value: String(await one(s.COUNT_HALF)) };
    },
    big: async () => {
      let total = 0;
      if (mode === "stream") {
        for await (const row of client.query(new QueryStream(s.BIG, [], { batchSize: 500 }))) {
          count += 1;
          total += row.n;
        }
      } else {
        const cursor = client.query(new Cursor(s.BIG));
        for (let found = await cursor.read(500); found.length; found = await cursor.read(500)) {
          count += found.length;
          total += found.reduce((sum, row) => sum + row.n, 0);
        }
        await cursor.close();
      }
      return { value: `${count}|${total}` };
    },
    copy: async () => {
      await pipeline(Readable.from([s.COPIED]), client.query(copyStreams.from("copy copied from stdin")));
      let out = "";
      const from = client.query(copyStreams.to("copy (select * from copied order by a) to stdout"));
      for await (const chunk of from) out += chunk;
      return { value: out === s.COPIED ? "copied" : JSON.stringify(out) };
    },
    params: async () => {
      let total = 0;
      for (let number = 0; number < 10; number += 1) {
        total += await one("select $1::int + $2::int as value", [number, 1]);
      }
      return { value: String(total) };
    },
    types: async () => {
      // Every value as the server wrote it, asked for as text and as binary.
      const getTypeParser = (_oid, format) => (format === "binary" ? (it) => Buffer.from(it).toString("hex") : String);
      const asked = { text: "select * from typed order by n", rowMode: "array", types: { getTypeParser } };
      const text = (await client.query(asked)).rows;
      const binary = (await client.query({ ...asked, binary: true })).rows;
      return { values: [...text, ...binary] };
    },
  });
  await client.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
