import assert from "node:assert/strict";
import { parseJson } from "../../src/formats/json.ts";

Deno.test("json: what JSON.parse gives", () => {
  const texts = [
    '{"a": [1, {"b": "\\"x\\\\"}, null], "b" :\n"a", "": {"a": ":"}}',
    '["a", "a", "\\\\", {"a": 1}, {"a": 2}]',
    "1",
    '"{"',
  ];
  for (const text of texts) assert.deepEqual(parseJson(text), JSON.parse(text));
});

Deno.test("json: what no file of ours holds is refused", () => {
  const refused = (text: string, message: RegExp) => assert.throws(() => parseJson(text), message);
  refused('{"a":1,"b":{"a":1},"a":2}', /gives "a" twice/);
  refused('{"b":[{"\\u0061":1,"a":2}]}', /gives "a" twice/);
  refused(`{"a":${"[".repeat(101)}`, /nests more than 100 deep/);
  refused(`[${"1,".repeat(1_100_000)}1]`, /more than 1048576 values/);
  for (const text of ["", "{", '{"a":1,}', '{"a', '{"\\u00":1}', "]]", "nope"]) refused(text, /JSON/);
});
