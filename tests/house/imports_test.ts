/**
 * The house: imports point one way, only the command line knows that it runs in Deno, and it prints in one way.
 */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname!, "../..");

/** What the files of a place may import, beside one another, npm packages and src/formats/user_error.ts. */
const allowed: Record<string, string[]> = {
  shaders: [],
  "src/formats": [],
  "src/gpu": ["shaders"],
  "src/ops": ["src/gpu", "src/formats", "shaders"],
  "src/net": ["src/ops", "src/gpu", "src/formats"],
  "src/synth": ["src/net", "src/ops", "src/gpu", "shaders"],
  "src/tune": ["src/synth", "src/net", "src/ops", "src/gpu", "src/formats"],
  "src/mod.ts": ["src/older_engines.ts", "src/formats", "src/gpu", "src/net", "src/ops", "src/synth", "src/tune"],
  "src/record": ["src/mod.ts", "src/formats"],
  // What computes otherwise than we do is compared with the tests' own references.
  "src/lab": ["src/tune", "src/synth", "src/net", "src/ops", "src/gpu", "src/formats", "tests/reference"],
  // So does the doctor with our kernels.
  "src/cli": [
    "src/mod.ts",
    "src/record",
    "src/formats",
    "src/lab",
    "deno.json",
    "tests/cases",
    ...["case", "double_float", "ways"].map((name) => `tests/ops/check_${name}.ts`),
  ],
  // The tools that users type are commands like the others.
  tools: [
    "src/formats",
    "src/net",
    "src/cli/outputs",
    ...["command", "files", "interrupt", "print", "progress", "values"].map((name) => `src/cli/${name}.ts`),
  ],
  bench: [
    "src/mod.ts",
    "src/formats",
    "src/cli",
    "src/gpu",
    "src/ops",
    "src/net",
    "src/synth",
    "src/tune",
    "src/lab",
    "shaders",
    "tests",
    // Networks whose shapes are known by name are drawn once, whoever needs them.
    "tools/convert/torch/architectures.ts",
  ],
  web: [
    "src/mod.ts",
    "src/record",
    "src/formats",
    "src/synth/change.ts",
    "src/synth/settings.ts",
    "src/synth/words.ts",
    "deno.json",
    ...["caffe", "onnx", "torch"].map((kind) => `tools/convert/${kind}`),
    // What it says of a GPU is what the doctor and the benchmarks say.
    "bench/profile",
    "bench/synth/search.ts",
    "tests/cases",
    "tests/ops/check_case.ts",
  ],
};

/** The error that everything may throw. */
const userError = "src/formats/user_error.ts";

const importPattern = /^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm;

Deno.test("imports point one way", async () => {
  const wrong: string[] = [];
  for (const place of Object.keys(allowed)) {
    for (const file of sources(join(root, place))) {
      for (const [, from, bare, dynamic] of (await Deno.readTextFile(file)).matchAll(importPattern)) {
        const target = from ?? bare ?? dynamic;
        if (!target.startsWith(".")) continue;
        const path = relative(root, join(dirname(file), target));
        const fits = [place, userError, ...allowed[place]].some((end) => path === end || path.startsWith(`${end}/`));
        if (!fits) wrong.push(`${relative(root, file)} imports ${path}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("src outside src/cli names neither Deno nor document nor window", async () => {
  const wrong: string[] = [];
  for (const file of [...sources(join(root, "src")), ...sources(join(root, "shaders"))]) {
    if (file.startsWith(join(root, "src/cli"))) continue;
    const named = withoutComments(await Deno.readTextFile(file)).match(/(?<![\w."'])(Deno|document|window)(?=[.\[?])/);
    if (named) wrong.push(`${relative(root, file)} names ${named[1]}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("what pages run asks for nothing that is younger than WebGPU, but what src/older_engines.ts makes", () => {
  const young =
    /^\s*(await )?using |Float16Array|DisposableStack|asyncDispose|Uint8Array\.fromBase64|\.toBase64\(|withResolvers|ReadableStream\.from/m;
  const files = ["src", "shaders", "web", "tools/convert"].flatMap((room) => sources(join(root, room)))
    .filter((file) => !/\/src\/(cli|lab)\/|\/convert\/(\w+\/command|main|folder)\.ts$/.test(file));
  const found = files.filter((file) => young.test(withoutComments(Deno.readTextFileSync(file))));
  assert.deepEqual(found.map((file) => relative(root, file)), []);
});

Deno.test("nothing but print.ts and progress.ts writes to the terminal: they make it printable", () => {
  const printing = /\bconsole\.\w|\bDeno\.(stdout|stderr)\b(?!\.isTerminal)/;
  const files = ["src", "tools", "bench"].flatMap((room) => sources(join(root, room)));
  const found = files.filter((file) => printing.test(withoutComments(Deno.readTextFileSync(file))));
  // What the child says, its parent prints.
  const allowed = [
    ...["bench/peers/child.ts", "bench/static/child.ts"],
    ...["print.ts", "progress.ts", "sweep/queue/child.ts"].map((name) => `src/cli/${name}`),
  ];
  assert.deepEqual(found.map((file) => relative(root, file)).sort(), allowed);
});

Deno.test("comments in WGSL are lines, for src/gpu/wgsl_text.ts sets no others", () => {
  const files = ["shaders", "src"].flatMap((room) => sources(join(root, room)));
  const found = files.filter((file) => /\*\/\n(fn|struct|var<\w+>) /.test(Deno.readTextFileSync(file)));
  assert.deepEqual(found.map((file) => relative(root, file)), []);
});

Deno.test("the module's own example is the README's, which compiles", () => {
  const [, example] = /^## The module\n\n(```ts\n.*?```\n)/ms.exec(Deno.readTextFileSync(join(root, "README.md")))!;
  const [header] = Deno.readTextFileSync(join(root, "src/mod.ts")).split("*/");
  assert.ok(header.replace(/^ \* ?/gm, "").includes(example));
});

/** All TypeScript files of a folder, or the file itself; none where there is neither. */
function sources(path: string): string[] {
  if (isSource(path)) return [path];
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return entries.filter(({ isDirectory, name }) => isDirectory || isSource(name))
    .flatMap(({ name }) => sources(join(path, name)));
}

const isSource = (name: string) => /\.tsx?$/.test(name);

const withoutComments = (text: string) => text.replace(/\/\*[^]*?\*\/|(?<!:)\/\/.*$/gm, "");
