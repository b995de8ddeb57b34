/** Sweeps over a queue, with a Redis of the test's own (`deno task setup:cli` installs it). */
import assert from "node:assert/strict";
import { linesOf } from "../../src/cli/lines.ts";
import { shareOf } from "../../src/cli/sweep/plan.ts";
import { addressOf } from "../../src/cli/sweep/queue/queue.ts";
import { madeIn, tinyFolder } from "./sweeping.ts";
import { root, type, withoutTask } from "./user.ts";

const password = "se%2Fcret";

/** A Redis that keeps nothing and wants a password, on a free port. */
async function startRedis(): Promise<{ host: string; stop(): Promise<unknown> }> {
  const { port } = (() => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return listener.addr;
  })();
  const words = `exec redis-server --bind 127.0.0.1 --port ${port} --save "" --appendonly no --requirepass ${password}`;
  const child = new Deno.Command("sh", { args: ["-c", words], stdin: "null", stdout: "piped", stderr: "inherit" })
    .spawn();
  const lines = linesOf(child.stdout);
  for (let line = await lines.next(); !line.value?.includes("Ready to accept"); line = await lines.next()) {
    assert.ok(!line.done, "redis-server did not start");
  }
  const rest = (async () => {
    for await (const _ of lines);
  })();
  return {
    host: `127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGKILL");
      return await Promise.all([child.status, rest]);
    },
  };
}

/** Starts a sweep and, when it makes its first picture, kills it with all that it has started. */
async function killedAtWork(args: string[], env: Record<string, string>): Promise<void> {
  const [program, ...words] = withoutTask(args);
  const child = new Deno.Command(program, {
    ...{ args: words, env, cwd: root, detached: true },
    ...{ stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  let killing: Promise<unknown> | undefined;
  let said = "";
  for await (const line of linesOf(child.stderr)) {
    said += `${line}\n`;
    if (!/^picture +0\/.* iteration/.test(line)) continue;
    killing ??= new Deno.Command("sh", { args: ["-c", `kill -KILL -${child.pid}`] }).output();
  }
  assert.ok(killing, said);
  await killing;
  assert.equal((await child.status).signal, "SIGKILL");
}

Deno.test({
  name: "sweep: workers at a queue, of which one is killed, make the pictures of a whole sweep",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using run = tinyFolder();
    const env = { PHOSPHENE_SETUP: "install", PHOSPHENE_TUNED: "none", PHOSPHENE_QUEUE_PASSWORD: password };
    const redis = await startRedis();
    const models = ["--classifier", run.classifier, "--generator", run.generator];
    const plan = ["--units", "0-3", "--seeds", "0-9", "--iterations", "40", "--batch", "5"];
    const sweep = (out: string, ...more: string[]) => ["sweep", ...models, ...plan, "--out", run.at(out), ...more];
    const worker = (out: string, login = "") => sweep(out, "--queue", `redis://${login}${redis.host}`);
    const [whole] = await Promise.all([type(sweep("whole")), killedAtWork(worker("queue"), env)]);
    assert.equal(whole.code, 0, whole.err);
    const [one, other] = await Promise.all([
      type(worker("queue"), { env }),
      type(worker("queue", `:${encodeURIComponent(password)}@`), { env: { ...env, PHOSPHENE_QUEUE_PASSWORD: "" } }),
    ]);
    for (const { code, out, err } of [one, other]) {
      assert.deepEqual([code, out], [0, `${run.at("queue/report.html")}  40 of 40 pictures\n`], err);
      assert.match(
        err,
        /^queue at 127\.0\.0\.1:\d+, plan [\da-f]{12}…: \d+ of 40 pictures are made, up to 5 at a time\n/,
      );
    }
    assert.deepEqual(madeIn(run.at("queue")), madeIn(run.at("whole")));

    const late = await type(worker("late"), { env });
    assert.equal(late.code, 0, late.err);
    assert.match(late.err, /: 40 of 40 pictures are made.*\nthe other 40 are where other workers put them/);
    await redis.stop();
    const alone = await type(worker("alone"), { env });
    assert.deepEqual([alone.code, alone.out], [1, ""]);
    assert.match(
      alone.err,
      /^sweep: the queue at 127\.0\.0\.1:\d+ cannot be joined: connect ECONNREFUSED 127\.0\.0\.1:\d+\n$/,
    );
    assert.ok(!Deno.readDirSync(run.path).some(({ name }) => name === "alone"));
  },
});

Deno.test("sweep: an address that is none is not told, for it may hold a password", () => {
  for (const text of ["http://:secret@host", "redis://:secret@", "redis://:secret@host/nine", "secret"]) {
    assert.throws(() => addressOf(text), ({ message }: Error) => {
      assert.match(message, /^--queue expects an address such as redis:/);
      return !message.includes("secret");
    });
  }
  assert.equal(addressOf("redis://user:secret@host/2").host, "host:6379");
  assert.equal(addressOf("redis://user@host", "a/b%").href, "redis://user:a%2Fb%25@host:6379");
  assert.equal(addressOf("redis://:secret@host", "other").password, "secret");
  assert.equal(addressOf("rediss://[::1]:7000").host, "[::1]:7000");
  assert.throws(() => shareOf([], { shard: "1/2", queue: "redis://host" }), /^UserError: --shard and --queue both say/);
});
