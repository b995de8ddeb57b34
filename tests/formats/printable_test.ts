import assert from "node:assert/strict";
import { printable, printableJson } from "../../src/formats/printable.ts";

const text = (code: number) => String.fromCharCode(code);
const controls = [
  ...[0, 7, 8, 0x0e, 0x1b, 0x1f, 0x7f, 0x80, 0x84, 0x86, 0x9b, 0x9d, 0x9f].map(text),
  ...["\t", "\n", "\v", "\f", "\r", "\r\n", "\x85", "\u2028", "\u2029"],
];
const bidirectional = [0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069]
  .map(text);

Deno.test("texts become printable, on one line; what needs no change gets none", () => {
  for (const char of controls) assert.equal(printable(`a${char}b`), "a b");
  for (const char of bidirectional) assert.equal(printable(`a${char}b`), "a\ufffdb");
  for (const text of ["", "  bell pepper  ", "Füchse, שועל, ثعلب, 狐 🦊👩‍🚀", "a\ufffdb", "\ud83e"]) {
    assert.equal(printable(text), text);
  }
  assert.equal(printable("\x1b]0;title\x07\x1b[2J\u202egnp.exe"), " ]0;title [2J\ufffdgnp.exe");
});

Deno.test("JSON becomes printable and keeps its meaning", () => {
  const value = { ["k\u202e"]: [...controls, ...bidirectional, "🦊", 1.5, null, { deep: "\x9b2J\u2028" }] };
  const text = printableJson(value);
  assert.deepEqual(JSON.parse(text), value);
  assert.equal(printable(text), text);
});
