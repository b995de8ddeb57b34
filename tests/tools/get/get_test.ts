/** deno task get as a user types it, from a mirror on this machine. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import config from "../../../deno.json" with { type: "json" };
import { zipSync } from "fflate";
import { modelFolder } from "../../../src/cli/files.ts";
import { loadModel } from "../../../src/net/model.ts";
import { knownNetworks } from "../../../tools/get/networks.ts";
import { namesIn, temporaryFolder, type } from "../../cli/user.ts";
import { blob, caffemodel } from "../convert/caffe_files.ts";
import { serve } from "./server.ts";
import { tar } from "./tar.ts";

const prototxt = new TextEncoder().encode(`input: "feat" input_shape { dim: 1 dim: 8 } force_backward: true
layer { name: "defc" type: "InnerProduct" bottom: "feat" top: "defc" inner_product_param { num_output: 48 } }
layer { name: "reshape" type: "Reshape" bottom: "defc" top: "x" reshape_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }`);
const weights = caffemodel({ defc: [blob([48, 8], Array(384).fill(0.5)), blob([48], Array(48).fill(1))] });

Deno.test("get: a generator out of its archive, cut off once, becomes a model that says what its code is", async () => {
  using folder = temporaryFolder();
  const entry = (file: string) => `release_deepsim_v0/fc6/generator.${file}`;
  const archive = zipSync({ [entry("prototxt")]: prototxt, [entry("caffemodel")]: weights });
  await using server = serve(archive, [{ cutAfter: 300 }]);
  const out = join(folder.path, "g");
  const { code, out: told, err } = await type(
    [
      "get:mirror",
      "deepsim-fc6",
      "--from",
      server.url,
      "--out",
      out,
      "--weights",
      "i8",
      "--timeout",
      "20",
      "--tries",
      "2",
    ],
  );
  assert.equal(code, 0, err);
  assert.match(err, /^deepsim-fc6: for research, not for commercial use/);
  assert.match(err, /warning: release_deepsim_v0\.zip: nobody has published its hash, so it is unchecked\n/);
  assert.match(err, /warning: release_deepsim_v0\.zip: .*; trying again/);
  assert.match(told, /g: 2 layers, 432 parameters/);
  assert.deepEqual(server.ranges, ["", "bytes=300-"]);
  const { network, weights: tensors } = await loadModel(modelFolder(out), out);
  assert.deepEqual([network.code, network.image?.mean, tensors.get("defc.weight")!.dtype], [
    { layer: "fc6", sigmas: 3 },
    [104, 117, 123],
    "I8",
  ]);
  assert.deepEqual(namesIn(folder.path), ["g"]);
});

Deno.test("get: a classifier out of a tar archive; --keep keeps what was fetched", async () => {
  using folder = temporaryFolder();
  const archive = tar({ "p/places205CNN_deploy.prototxt": prototxt, "p/places205CNN_iter_300000.caffemodel": weights });
  await using server = serve(gzipSync(archive));
  const out = join(folder.path, "p");
  const args = ["get:mirror", "places205", "--from", server.url, "--out", out, "--keep"];
  const first = await type(args);
  assert.equal(first.code, 0, first.err);
  assert.deepEqual(namesIn(folder.path), ["p", "p.download"]);
  assert.match((await type(args)).err, /^get: .*p exists; --force replaces it\n$/);
  const again = await type([...args, "--force"]);
  assert.equal(again.code, 0, again.err);
  assert.equal(server.ranges.length, 1, "the archive was there");
});

Deno.test("get: another file than the published one leaves nothing", async () => {
  using folder = temporaryFolder();
  await using server = serve(weights);
  const { code, err } = await type(["get:mirror", "caffenet", "--from", server.url, "--out", join(folder.path, "c")]);
  assert.equal(code, 1);
  assert.match(
    err,
    /^caffenet: released for unrestricted use.*\nget: .*deploy.prototxt is not the file that was published/,
  );
  assert.deepEqual(namesIn(folder.path), []);
});

Deno.test("get: what is no such archive is fetched anew the next time", async () => {
  using folder = temporaryFolder();
  await using server = serve(new TextEncoder().encode("<html>moved</html>"));
  const { code, err } = await type([
    "get:mirror",
    "deepsim-fc7",
    "--from",
    server.url,
    "--out",
    join(folder.path, "g"),
  ]);
  assert.equal(code, 1);
  assert.match(err, /get: .*release_deepsim_v0.zip: this is a web page \(HTML\), not the archive that was expected; /);
  assert.deepEqual(namesIn(folder.path), []);
});

Deno.test("get: of an archive whose second file is damaged nothing stays", async () => {
  using folder = temporaryFolder();
  const entry = (file: string) => `release_deepsim_v0/fc6/generator.${file}`;
  const archive = zipSync({ [entry("prototxt")]: prototxt, [entry("caffemodel")]: [weights, { level: 0 }] });
  archive[archive.findIndex((_, at) => weights.every((byte, i) => i > 20 || archive[at + i] === byte)) + 40] ^= 1;
  await using server = serve(archive);
  const { code, err } = await type([
    "get:mirror",
    "deepsim-fc6",
    "--from",
    server.url,
    "--out",
    join(folder.path, "g"),
  ]);
  assert.equal(code, 1);
  assert.match(err, /the checksum of .*generator.caffemodel is not right\n$/);
  assert.deepEqual(namesIn(folder.path), []);
});

Deno.test("get: may reach the publishers' hosts alone, each over https or with a hash", async () => {
  const files = Object.values(knownNetworks).flatMap(({ prototxt, caffemodel }) => [prototxt, caffemodel]);
  const hosts = new Set(
    files.flatMap(({ url, elsewhere = [], hosts = [] }) => [
      ...[url, ...elsewhere].map((address) => new URL(address).host),
      ...hosts,
    ]),
  );
  const [, allowed] = /--allow-net=(\S+) /.exec(config.tasks.get.command)!;
  assert.deepEqual(allowed.split(",").sort(), [...hosts].sort());
  for (const { url, elsewhere = [], sha1 } of files) {
    assert.ok(sha1 || url.startsWith("https://") && elsewhere.length === 0, url);
  }
  using folder = temporaryFolder();
  await using server = serve(weights);
  const { code, err } = await type(["get", "caffenet", "--from", server.url, "--out", join(folder.path, "c")]);
  assert.equal(code, 1);
  assert.match(
    err,
    /\nget: http:\/\/127.0.0.1:\d+\/deploy.prototxt may not be fetched: Deno asks .*`deno task get:mirror`/,
  );
  assert.deepEqual([server.ranges, namesIn(folder.path)], [[], []]);
});

Deno.test("get: a second run is told so at once; a signal ends the first, which goes on the next time", async () => {
  using folder = temporaryFolder();
  const entry = (file: string) => `release_deepsim_v0/fc6/generator.${file}`;
  const archive = zipSync({ [entry("prototxt")]: prototxt, [entry("caffemodel")]: weights });
  await using server = serve(archive, [{ stallAfter: 300 }]);
  const args = ["get:mirror", "deepsim-fc6", "--from", server.url, "--out", join(folder.path, "g")];
  const first = await type(args, {
    when: ["for research", async (child) => {
      const second = await type(args);
      assert.equal(second.code, 1);
      assert.match(second.err, /^get: another run is at work on .*g\n$/);
      child.kill("SIGTERM");
    }],
  });
  assert.equal(first.code, 143, first.err);
  assert.deepEqual(namesIn(folder.path), ["g.download"]);
  const again = await type(args);
  assert.equal(again.code, 0, again.err);
  assert.deepEqual(server.ranges, ["", "bytes=300-"]);
  assert.deepEqual(namesIn(folder.path), ["g"]);
});

Deno.test("get: links in the place of what is fetched are not followed", async () => {
  using folder = temporaryFolder();
  await using server = serve(prototxt);
  const out = join(folder.path, "c");
  const mine = join(folder.path, "mine");
  const fetched = `${out}.download`;
  Deno.writeTextFileSync(mine, "mine");
  const refused = async (link: string) => {
    const { code, err } = await type(["get", "caffenet", "--from", server.url, "--out", out]);
    assert.equal(code, 1);
    assert.match(err, /\nget: .* is a symbolic link, which is not followed; remove it\n$/);
    assert.equal(Deno.readTextFileSync(mine), "mine");
    Deno.removeSync(link);
  };
  Deno.symlinkSync(folder.path, fetched);
  await refused(fetched);
  Deno.mkdirSync(fetched);
  Deno.symlinkSync(mine, join(fetched, "deploy.prototxt.part"));
  await refused(join(fetched, "deploy.prototxt.part"));
});

Deno.test("get: alone it lists; what makes no sense is one sentence", async () => {
  const list = await type(["get"]);
  for (const name of Object.keys(knownNetworks)) assert.match(list.out, new RegExp(`^${name} `, "m"));
  assert.match((await type(["get", "vgg99"])).err, /^get: there is no network "vgg99"; known are caffenet, /);
  assert.match(
    (await type(["get", "caffenet", "alexnet"])).err,
    /^get: expected one network, got caffenet, alexnet\n$/,
  );
  assert.match((await type(["get", "caffenet", "--from", "ftp://x"])).err, /^get: --from expects an address/);
  assert.match((await type(["get", "caffenet", "--timeout", "0"])).err, /^get: --timeout expects a whole number 1 to/);
  assert.match((await type(["get", "caffenet", "--tries", "0"])).err, /^get: --tries expects a whole number 1 to 100/);
});
