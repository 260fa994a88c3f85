// Prisma's client plays the scenarios over its adapter for node-postgres (its query compiler is WebAssembly
// that npm brings; its schema engine, which migrations need, is fetched from elsewhere and is not here).
"use strict";

const { PrismaPg } = require("@prisma/adapter-pg");
const { PrismaClient } = require(process.env.PRISMA_CLIENT);
const s = require("./scenarios.js");

function stateOf(error) {
  const cause = error?.meta?.driverAdapterError?.cause ?? error?.cause ?? {};
  return cause.originalCode ?? cause.code ?? error?.meta?.code ?? error?.code ?? String(error);
}

async function main() {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ ...s.place, max: 2 }) });
  const errorOf = async (work) => {
    try {
      await work();
      return { sqlstate: null };
    } catch (error) {
      return { sqlstate: stateOf(error), detail: JSON.stringify(error?.meta ?? error?.message ?? "") };
    }
  };
  const usable = async () => String((await prisma.$queryRaw`select 1 as value`)[0].value);
  const half = () => prisma.orders.count({ where: { id: 900 } });
  await s.play({
    allow: async () => ({ value: String(await prisma.orders.count()) }),
    deny: async () => ({ ...(await errorOf(() => prisma.$executeRawUnsafe(s.DENIED))), usable: await usable() }),
    approve: async () => ({ value: (await prisma.orders.update({ where: { id: 3 }, data: { status: "paid" } })).status }),
    expire: async () => ({ ...(await errorOf(() => prisma.$executeRawUnsafe(s.DELETE))), usable: await usable() }),
    mask: async () => {
      const user = await prisma.users.findUnique({ where: { id: 2 }, select: { name: true, email: true, pin: true } });
      return { value: Object.values(user).map((cell) => cell ?? "").join("|") };
    },
    error: async () => ({ ...(await errorOf(() => prisma.$queryRaw`select 1 / 0`)), usable: await usable() }),
    transaction: async () => {
      let said = {};
      const after = await errorOf(() =>
        prisma.$transaction(async (tx) => {
          await tx.orders.create({ data: { id: 900, user_id: 1, total: 1, status: "half" } });
          said = await errorOf(() => tx.$executeRawUnsafe(s.DENIED));
          await tx.$queryRaw`select 1`;
        }),
      );
      return { ...said, after: after.sqlstate, value: String(await half()) };
    },
    big: async () => {
      const found = await prisma.$queryRawUnsafe(s.BIG);
      return { value: `${found.length}|${found.reduce((sum, row) => sum + row.n, 0)}` };
    },
    params: async () => {
      const with_orders = await prisma.users.findMany({ include: { orders: { where: { total: { gt: 100 } } } } });
      const found = await prisma.orders.findMany({ where: { id: { in: [5, 6, 7] }, status: { contains: "e" } } });
      return { value: `${with_orders.length}|${with_orders.flatMap((it) => it.orders).length}|${found.length}` };
    },
  });
  await prisma.$disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
