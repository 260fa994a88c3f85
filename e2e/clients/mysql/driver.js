// mysql2, driven from outside: a line in, a JSON object a line out; as driver.py says.
//
//     node driver.js HOST PORT DATABASE CA
"use strict";
const fs = require("fs");
const readline = require("readline");
const mysql = require("mysql2/promise");

const [host, port, database, ca] = process.argv.slice(2);
const plain = (value) =>
  Buffer.isBuffer(value) ? value.toString("utf8") : value instanceof Date ? value.toISOString() : value;
const say = (rows, error = null) =>
  process.stdout.write(JSON.stringify({ rows: (rows || []).map((row) => row.map(plain)), error }) + "\n");
// A statement without rows says how many it changed, and the last number.
const header = (one) => (Array.isArray(one) ? one : [one.affectedRows, one.insertId, one.info]);
const headers = (rows) => (Array.isArray(rows) ? rows : [rows]).map(header);
const said = (error) => ({ code: error.errno || -1, state: error.sqlState || null, message: error.message });

async function main() {
  const settings = {
    host, port: Number(port), database, user: process.env.SALLYPORT_USER || "anybody", password: process.env.SALLYPORT_PASSWORD,
    enableCleartextPlugin: !process.env.SALLYPORT_USER, rowsAsArray: true, multipleStatements: true, connectTimeout: 30000,
  };
  if (ca) settings.ssl = { ca: fs.readFileSync(ca) };
  let connection;
  try {
    connection = await mysql.createConnection(settings);
  } catch (error) {
    return say([], said(error));
  }
  connection.on("error", () => {});
  say([]);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [op, text, ...parameters] = line.split("\t");
    try {
      if (op === "header") say(headers((await connection.query(text))[0]));
      else if (op === "header-exec") say(headers((await connection.execute(text, parameters))[0]));
      else if (op === "id") say([[connection.threadId]]);
      else if (op === "query") {
        const [rows] = await connection.query(text);
        say(Array.isArray(rows) ? rows.filter(Array.isArray) : []);
      } else if (op === "exec") {
        const [rows] = await connection.execute(text, parameters);
        say(Array.isArray(rows) ? rows : []);
      } else say([], { code: -2, state: null, message: "this driver has no " + op });
    } catch (error) {
      say([], said(error));
    }
  }
  await connection.end().catch(() => {});
}

main();
