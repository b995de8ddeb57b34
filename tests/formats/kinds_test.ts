/** What lies in place of a file is called what it is, by every reader. */
import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { type KindName, kindOf, refuseOthers, refuseText } from "../../src/formats/kinds.ts";
import { readNpy, readNpz, writeNpy } from "../../src/formats/npy.ts";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { fromFloat32, readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { loadModel } from "../../src/net/model.ts";
import { fuzz } from "./fuzz.ts";

const text = (content: string) => new TextEncoder().encode(content);
const bytes = (...parts: (string | number)[]) =>
  Uint8Array.from(parts.flatMap((part) => typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part));

const pointer = text(`version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 243000000\n`);
const page = text("<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n");
const weights = writeSafetensors(new Map([["a", fromFloat32([1, 2], "F32", [2])]]));

/** Files of every kind that people meet. */
const files: [KindName, Uint8Array][] = [
  ["lfs", pointer],
  ["lfs", text("version https://hawser.github.com/spec/v1\noid sha256:00\nsize 1\n")],
  ["annex", text("/annex/objects/SHA256E-s1--00.onnx\n")],
  ["html", page],
  ["html", text("\ufeff\n <!-- saved from a mirror -->\n<html lang=en>")],
  ["html", text('<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">')],
  ["html", bytes("<HTML><TITLE>Fichier supprim", 0xe9, "</TITLE>")], // Latin-1
  ["svg", text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')],
  ["xml", text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')],
  ["tfjs", text('{"format": "layers-model", "generatedBy": "keras v2.4.0", "modelTopology": {}}')],
  ["tfjs", text('{"format":"graph-model","signature":{}}')],
  ["tfjs", text('{"modelTopology": {"keras_version": "2.1.6"}, "weightsManifest": []}')],
  ["json", text('{"message": "Not Found"}')],
  ["json", text('["tench", "goldfish"]')],
  ["hdf5", bytes(0x89, "HDF\r\n", 0x1a, "\n", 0, 0)],
  ["hdf5", bytes(...Array(512).fill(7), 0x89, "HDF\r\n", 0x1a, "\n")],
  ["torch", zipSync({ "net/data.pkl": bytes(0x80, 2, "}."), "net/data/0": bytes(1) })],
  ["torch", zipSync({ "archive/version": bytes("3\n") })],
  ["pickle", bytes(0x80, 2, 0x8a, 0x0a)],
  ["pickle", bytes(0x80, 4, 0x95, 0, 0)],
  ["pickle", bytes("(dp0\nS'conv1'\np1\n")],
  ["pickle", bytes("cnumpy.core.multiarray\n_reconstruct\np0\n")],
  ["npz", zipSync({ "fc6.npy": bytes(1) })],
  ["keras", zipSync({ "metadata.json": text("{}"), "model.weights.h5": bytes(1) })],
  ["zip", zipSync({ "a.onnx": bytes(1) })],
  ["zip", bytes("PK", 5, 6, ...Array(18).fill(0))], // an empty one
  ["gzip", bytes(0x1f, 0x8b, 8, 0)],
  ["tar", bytes("net.caffemodel", ...Array(243).fill(0), "ustar", 0)],
  ["zstd", bytes(0x28, 0xb5, 0x2f, 0xfd)],
  ["webp", bytes("RIFF", 1, 2, 3, 4, "WEBPVP8 ")],
  ["heif", bytes(0, 0, 0, 28, "ftypavif")],
  ["utf16", bytes(0xff, 0xfe, "t", 0, "e", 0)],
  ["onnx", bytes(8, 7, 0x12, 7, "pytorch")],
  ["safetensors", weights],
  ["npy", writeNpy({ shape: [1], data: Uint8Array.of(1) })],
  ["png", encodePng({ width: 1, height: 1, rgb: new Uint8Array(3) })],
];

Deno.test("kinds: every kind is known by its first bytes", () => {
  for (const [name, file] of files) assert.equal(kindOf(file)?.name, name, new TextDecoder().decode(file).slice(0, 60));
});

Deno.test("kinds: what a reader takes is not taken for anything else", () => {
  // A header of 640 bytes begins as a pickle does.
  const wide = writeSafetensors(new Map([["a", fromFloat32([1], "F32", [1])]]), { about: "x".repeat(557) });
  assert.deepEqual([wide[0], wide[1], kindOf(wide)?.name], [0x80, 2, "safetensors"]);
  const own = ["cat\ndog\n", "tench, Tinca tinca\n", 'name: "net"\n', "(a) label\n", "1.5 2.5\n", "version 2\n", "\n"];
  for (const each of own) assert.equal(kindOf(text(each)), undefined, each);
  for (const each of [bytes(10, 3, "net", 0xa2, 6, 0), bytes(8, 1, 16, 3), new Uint8Array(600)]) {
    refuseText(each, "f", "a caffemodel");
  }
});

Deno.test("kinds: the sentence says what it is, what was expected, and what to do", () => {
  const refused = (run: () => void, message: RegExp) =>
    assert.throws(run, (error) => error instanceof UserError && message.test(error.message) || assert.fail(`${error}`));
  refused(
    () => refuseOthers(pointer, "net.onnx", "an ONNX model"),
    /^net\.onnx: this is a Git LFS pointer, not an ONNX model; `git lfs pull` in its repository fetches the file itself$/,
  );
  refused(() => refuseText(text("404: Not Found"), "f", "a caffemodel"), /^f: this is text that begins with "404: Not/);
  refused(() => refuseText(new Uint8Array(0), "f", "a caffemodel"), /^f: this is empty, not a caffemodel$/);
  refused(() => refuseOthers(files[14][1], "f.h5", "a caffemodel"), /an HDF5 file, .* snapshot_format: BINARYPROTO/);
  refused(() => refuseOthers(files[9][1], "model.json", "an ONNX model"), /a TensorFlow\.js model, .* tf2onnx/);
  refuseOthers(pointer, "f", "a pointer", "lfs");
});

Deno.test("kinds: the readers of weights, arrays, pictures and model folders tell them", async () => {
  const sound: Record<string, Uint8Array> = {
    "network.json": text(
      '{"name":"n","inputs":[{"name":"x","shape":[2]}],"layers":[{"name":"y","type":"relu","input":"x"}]}',
    ),
    "weights.safetensors": writeSafetensors(new Map()),
    "labels.txt": text("cat\ndog\n"),
  };
  const load = (changed: Record<string, Uint8Array>) =>
    loadModel((file) => Promise.resolve({ ...sound, ...changed }[file]), "m");
  assert.deepEqual((await load({})).labels, ["cat", "dog"]);
  const readers: [string, (file: Uint8Array) => unknown][] = [
    ["x", (file) => readSafetensors(file, "x")],
    ["x", (file) => readNpy(file, "x")],
    ["x", (file) => readNpz(file, "x")],
    ["x", (file) => decodeImage(file, "x")],
  ];
  for (const name of Object.keys(sound)) readers.push([`m/${name}`, (file) => load({ [name]: file })]);
  for (const [name, read] of readers) {
    for (const [file, what] of [[pointer, "a Git LFS pointer"], [page, "a web page"]] as const) {
      await assert.rejects(
        async () => await read(file),
        (error) =>
          error instanceof UserError && error.message.startsWith(`${name}: this is ${what}`) || assert.fail(`${error}`),
      );
    }
  }
  await assert.rejects(() => load({ "network.json": files[9][1] }), /m\/network\.json: this is a TensorFlow\.js model/);
});

Deno.test("kinds: damaged files", () => {
  for (const [, file] of files) fuzz(file, 20, (damaged) => kindOf(damaged));
});
