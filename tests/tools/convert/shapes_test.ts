/** The Caffe layers that only move values: Split, Slice, Crop, Flatten. */
import assert from "node:assert/strict";
import { convert, net, networkOf, refuses, shapes, values } from "./converted.ts";

const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];

Deno.test("caffe: a Split's tops are values of their own, and layers in place change one", () => {
  const text = net(
    [2],
    `layer { name: "s" type: "Split" bottom: "data" top: "a" top: "b" }
     layer { name: "ra" type: "ReLU" bottom: "a" top: "a" }
     layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" }`,
  );
  const all = values(convert(text), { data: [-1, 2] });
  assert.deepEqual(["a", "b", "sum"].map((name) => [...all.get(name)!.data].map((v) => v + 0)), [[0, 2], [-1, 2], [
    -1,
    4,
  ]]);
  assert.deepEqual(networkOf(convert(text)).layers[2], { name: "ra", type: "relu", input: "a", output: "a" });
});

Deno.test("caffe: a Slice's tops are runs along its axis, under names that nothing else has", () => {
  const slice = (parameters: string, tops: string[], shape = [3, 1, 2]) =>
    convert(net(
      shape,
      `layer { name: "s" type: "Slice" bottom: "data" ${
        tops.map((top) => `top: "${top}"`).join(" ")
      } slice_param { ${parameters} } }
       layer { name: "s_1" type: "ReLU" bottom: "${tops[0]}" top: "s_1" }`,
    ));
  const run = (parameters: string, tops: string[], shape?: number[]) => {
    const all = values(slice(parameters, tops, shape), { data: [1, 2, 3, 4, 5, 6] });
    return tops.map((top) => [...all.get(top)!.data]);
  };
  assert.deepEqual(run("", ["a", "b", "c"]), [[1, 2], [3, 4], [5, 6]]);
  assert.deepEqual(run("slice_point: 1", ["a", "b"]), [[1, 2], [3, 4, 5, 6]]);
  assert.deepEqual(run("slice_dim: 1 slice_point: 2", ["a", "b"]), [[1, 2, 3, 4], [5, 6]]);
  assert.deepEqual(run("axis: -1", ["a", "b"]), [[1, 3, 5], [2, 4, 6]]);
  assert.deepEqual(run("axis: 1 slice_point: [1, 2]", ["a", "b", "c"], [6]), [[1], [2], [3, 4, 5, 6]]);
  assert.deepEqual(run("axis: 2", ["a"]), [[1, 2, 3, 4, 5, 6]]);
  assert.deepEqual(networkOf(slice("", ["a", "b", "c"])).layers.map(({ name }) => name), ["s", "s_1_", "s_2", "s_1"]);
  refuses(() => slice("", ["a", "b"]), /layer "s" \("Slice"\): axis 1 has 3 values, which do not split into 2 tops/);
  refuses(() => slice("slice_point: 1", ["a", "b", "c"]), /1 slice points for 3 tops, expected 2/);
  refuses(() => slice("slice_point: [2, 2]", ["a", "b", "c"]), /slice points \[2,2\] do not rise from 1 to 2/);
  refuses(() => slice("slice_point: 3", ["a", "b"]), /slice points \[3\] do not rise/);
  refuses(() => slice("axis: 0", ["a", "b"]), /it works along axis 0, but the items of the batch are apart/);
  refuses(() => slice("axis: 4", ["a", "b"]), /"axis" is 4; its bottom has the axes 0 to 3/);
  refuses(() => slice("", ["data", "b", "c"]), /its bottom "data" is one of its 3 tops too/);
});

Deno.test("caffe: Crop takes the size of its second bottom, from the top left unless told", () => {
  const crop = (parameters: string) =>
    values(
      convert(net(
        [1, 3, 3],
        `layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { kernel_size: 2 } }
         layer { name: "l" type: "Crop" bottom: "data" bottom: "p" top: "l" crop_param { ${parameters} } }`,
      )),
      { data: nine },
    ).get("l")!;
  assert.deepEqual([...crop("").data], [1, 2, 4, 5]);
  assert.deepEqual([...crop("axis: 2 offset: 1").data], [5, 6, 8, 9]);
  assert.deepEqual([...crop("offset: 1 offset: 0").data], [4, 5, 7, 8]);
  assert.deepEqual([...crop("axis: -1 offset: 1").data], [2, 3, 5, 6, 8, 9]);
  refuses(() => crop("axis: 0"), /layer "l" \("Crop"\): cropping the batch or the channels is not supported/);
});

Deno.test("caffe: shapes of layers on maps of several channels", () => {
  const text = net([6, 5, 7], 'layer { name: "l" type: "Flatten" bottom: "data" top: "l" }');
  assert.deepEqual(shapes(convert(text)), { data: "6×5×7", l: "210" });
});
