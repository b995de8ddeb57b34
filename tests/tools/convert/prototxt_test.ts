/** The text format's every form, and its faults by line. */
import assert from "node:assert/strict";
import { parsePrototxt } from "../../../tools/convert/caffe/prototxt.ts";
import { refuses } from "./converted.ts";

const parse = (text: string) => parsePrototxt(text, "f");

Deno.test("prototxt: messages, lists, comments, separators, both brackets, colons where they may be left out", () => {
  const m = parse(`# a comment
    name: 'net' ; a { x: 1, x: 2 } a: < x: 3 > # another "one"
    b: [1, 2,3] b: 4 c [ { y: 5 }, { y: 6 } ] e: []`);
  assert.equal(m.text("name"), "net");
  assert.deepEqual(m.messages("a").map((a) => a.integers("x", 0)), [[1, 2], [3]]);
  assert.deepEqual(m.integers("b", 0), [1, 2, 3, 4]);
  assert.deepEqual(m.messages("c").map((c) => c.integer("y", 0)), [5, 6]);
  m.done("the message");
});

Deno.test("prototxt: texts with escapes, UTF-8 bytes and neighbours", () => {
  const text = String.raw`t: "a\"b" 'c\'d' t: "\303\251\xC3\xA9\u00e9\U0001F600é" t: "a\\n\?"`;
  assert.deepEqual(parse(text).texts("t"), [`a"bc'd`, "ééé😀é", "a\\n?"]);
});

Deno.test("prototxt: numbers", () => {
  const text = "n: -1 n: +2.5 n: .5 n: 5. n: 1e-3 n: 1.5E+2f n: 0x1F n: 017 n: -0x10";
  assert.deepEqual(parse(text).numbers("n"), [-1, 2.5, 0.5, 5, 1e-3, 150, 31, 15, -16]);
  for (const infinite of ["inf", "-inf", "Infinity", "nan", "-nan", "1e999"]) {
    refuses(() => parse(`n: ${infinite}`).number("n", 0), /expected a number/);
  }
});

Deno.test("prototxt: words", () => {
  const m = parse("pool: AVE other: 1 yes: true no: f one: 1");
  assert.equal(m.choice("pool", ["MAX", "AVE"], "MAX"), "AVE");
  assert.equal(m.choice("other", ["MAX", "AVE"], "MAX"), "AVE");
  assert.deepEqual(["yes", "no", "one", "none"].map((name) => m.boolean(name, true)), [true, false, true, true]);
});

Deno.test("prototxt: each fault is named with its line", () => {
  const faults: [string, RegExp][] = [
    ["a {\n b: 1", /^f:2: expected "}" for the message that starts in line 1, but the file ends$/],
    ["a: 1\n}", /^f:2: expected the name of a field, but there is "}"$/],
    ["a 1", /^f:1: expected ":" or "{" after "a", but there is "1"$/],
    ["a: }", /^f:1: expected a value for "a"/],
    ["a: [1 2]", /^f:1: expected "," or "]", but there is "2"$/],
    ['\n\na: "b', /^f:3: the text that starts with " does not end$/],
    ['a: "\\q"', /^f:1: unknown escape "\\\\q"/],
    ["a: 09", /^f:1: 09 is not a number$/],
    ["a: 12cats", /^f:1: expected a value for "a", but there is "1"$/],
    ["a {".repeat(60), /^f:1: messages are nested more than 50 deep$/],
    [" ".repeat(1_000_001), /too many for a prototxt; is it the caffemodel\?/],
  ];
  for (const [text, message] of faults) refuses(() => parse(text), message);
  refuses(() => parse("a: 1\na: 2").integer("a", 0), /^f:2: "a" is given a second time$/);
  refuses(() => parse("a: 1.5").integer("a", 0), /^f:1: "a" is 1.5, expected a whole number ≥ 0$/);
  refuses(() => parse('a: "MAX"').choice("a", ["MAX"], "MAX"), /^f:1: "a" is "MAX", expected MAX$/);
  refuses(() => parse("\nb: 1").done("it"), /^f:2: it has no parameter "b" that is known here$/);
});
