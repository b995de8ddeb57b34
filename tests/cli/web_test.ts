/** `deno task web` as a user types it: the site served, and written as files. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { namesIn, temporaryFolder, type } from "./user.ts";

Deno.test("the page is served on this machine, until Ctrl-C", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const address = `http://127.0.0.1:${port}/`;
  const got: [number, string | null][] = [];
  const { out, err } = await type(["web", "--port", `${port}`], {
    when: ["Ctrl-C ends it", async (child) => {
      for (const path of ["", "engine.js", "models/caffenet64/network.json", "deno.json"]) {
        const response = await fetch(address + path);
        got.push([response.status, response.headers.get("content-type")]);
        await response.body?.cancel();
      }
      child.kill("SIGINT");
    }],
  });
  assert.equal(out.trim(), address, err);
  assert.deepEqual(got, [
    [200, "text/html; charset=utf-8"],
    [200, "text/javascript"],
    [200, "application/json"],
    [404, "text/plain;charset=UTF-8"],
  ]);
});

Deno.test("the site as files: nothing is overwritten without --force", async () => {
  using folder = temporaryFolder();
  const site = join(folder.path, "site");
  Deno.mkdirSync(site);
  Deno.writeTextFileSync(join(site, "index.html"), "mine");
  const refused = await type(["web", "--build", site]);
  assert.deepEqual([refused.code, namesIn(site)], [1, ["index.html"]], refused.err);
  assert.match(refused.err, /index\.html exists; --force/);
  const { code, out, err } = await type(["web", "--build", site, "--force"]);
  assert.equal(code, 0, err);
  assert.match(out, /site: \d+ files, 2\d\.\d MB\n$/);
  assert.deepEqual(namesIn(join(site, "models")), ["caffenet64", "deepsim64"]);
  const offline = Deno.readTextFileSync(join(site, "offline.js"));
  assert.match(offline, /"phosphene-[0-9a-f]{16}"/);
  const help = await type(["web", "--help"]);
  assert.match(help.out, /--build DIR/);
});
