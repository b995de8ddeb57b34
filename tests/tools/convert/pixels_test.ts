/** What is said of pixels at the command line, and the numbers that network.json has of it. */
import assert from "node:assert/strict";
import { inputToPicture, pictureToInput } from "../../../src/net/picture.ts";
import { formatOf, inOrder, pixelLine, readPixels } from "../../../tools/convert/pixels.ts";
import { refuses } from "./converted.ts";

type Said = Parameters<typeof readPixels>[0];

const read = (said: Said, usual: "0-255" | "0-1" = "0-255") => readPixels(said, { usual });

/** The numbers of the pixel (10, 20, 30) as PyTorch, Keras and Caffe have them, by their own formulas. */
const usual: [Said, number[]][] = [
  [{ pixels: "imagenet-torch" }, [
    (10 / 255 - 0.485) / 0.229,
    (20 / 255 - 0.456) / 0.224,
    (30 / 255 - 0.406) / 0.225,
  ]],
  [{ pixels: "imagenet-caffe" }, [30 - 104, 20 - 117, 10 - 123]],
  [{ pixels: "tf" }, [10 / 127.5 - 1, 20 / 127.5 - 1, 30 / 127.5 - 1]],
  [{ pixels: "zero-one" }, [10 / 255, 20 / 255, 30 / 255]],
  [{ pixels: "tf", order: "BGR" }, [30 / 127.5 - 1, 20 / 127.5 - 1, 10 / 127.5 - 1]],
  [{ pixels: "imagenet-caffe", order: "RGB" }, [10 - 123, 20 - 117, 30 - 104]],
  [{ mean: "123.675,116.28,103.53", std: "58.395, 57.12, 57.375" }, [
    (10 - 123.675) / 58.395,
    (20 - 116.28) / 57.12,
    (30 - 103.53) / 57.375,
  ]],
  [{ mean: "127.5", scale: "0.01,0.02,0.03" }, [(10 - 127.5) * 0.01, (20 - 127.5) * 0.02, (30 - 127.5) * 0.03]],
  [{ mean: "0.5", std: "0.5", range: "0-1" }, [10 / 127.5 - 1, 20 / 127.5 - 1, 30 / 127.5 - 1]],
  [{ mean: "0.5", scale: "2", range: "0-1", order: "BGR" }, [30 / 127.5 - 1, 20 / 127.5 - 1, 10 / 127.5 - 1]],
  [{ range: "0-1" }, [10 / 255, 20 / 255, 30 / 255]],
  [{ std: "1", range: "0-255" }, [10, 20, 30]],
  [{ mean: "10,20,30" }, [0, 0, 0]],
];

Deno.test("pixels: every format is the one that its framework computes, there and back", () => {
  for (const [said, expected] of usual) {
    const image = formatOf(read(said), 3);
    const shape = [3, 1, 1];
    const network = { name: "net", inputs: [{ name: "x", shape }], layers: [], image };
    const values = pictureToInput(network, { width: 1, height: 1, rgb: Uint8Array.of(10, 20, 30) });
    values.forEach((value, c) => assert.ok(Math.abs(value - expected[c]) < 1e-4, `${JSON.stringify(said)}: ${values}`));
    assert.deepEqual([...inputToPicture(network, values, shape).rgb], [10, 20, 30]);
  }
});

Deno.test("pixels: what is not said is left to the converter, and decimals stay what they are", () => {
  assert.deepEqual(read({}), {});
  assert.deepEqual(read({ mean: "104" }), { mean: [104] });
  assert.deepEqual(read({ mean: "0.485,0.456,0.406" }, "0-1"), { mean: [123.675, 116.28, 103.53] });
  const published = { usual: "0-1", published: true } as const;
  assert.deepEqual(readPixels({ mean: "123.7", range: "0-255" }, published), { mean: [123.7] });
  refuses(
    () => readPixels({ range: "0-255" }, published),
    /^--range 0-255 says what --mean, --std and --scale are of; none/,
  );
  assert.deepEqual(readPixels({ order: "BGR" }, { usual: "0-255", mean: [1, 2, 3] }), {
    order: "BGR",
    mean: [1, 2, 3],
  });
  assert.deepEqual(formatOf({ mean: [5], scale: [2, 2, 2] }, 3), { order: "RGB", mean: [5, 5, 5], scale: 2 });
  assert.deepEqual(formatOf({}, 1), { order: "RGB", mean: [0], scale: 1 });
  assert.deepEqual(inOrder({ order: "RGB", mean: [1, 2, 3], scale: [4, 5, 6] }, "BGR"), {
    order: "BGR",
    mean: [3, 2, 1],
    scale: [6, 5, 4],
  });
  const image = formatOf(read({ pixels: "zero-one" }), 3);
  assert.equal(pixelLine(image, "as given"), "pixels lose 0, 0, 0 and are multiplied by 0.00392157 (RGB, as given)");
});

Deno.test("pixels: contradictions and slips are one sentence", () => {
  const cases: [Said, RegExp][] = [
    [{ pixels: "tf", mean: "1" }, /^--pixels tf says all of it; leave out --mean, or --pixels$/],
    [{ pixels: "tf", range: "0-1" }, /leave out --range/],
    [{ pixels: "keras" }, /^--pixels expects imagenet-torch or imagenet-caffe or tf or zero-one, got "keras"$/],
    [{ std: "2", scale: "0.5" }, /^--std divides and --scale multiplies by the same; give one of them$/],
    [{ mean: "1,,2" }, /^--mean expects a number, or one a channel .* got "1,,2"$/],
    [{ std: "0" }, /^--std expects a number/],
    [{ scale: "-1" }, /^--scale expects a number/],
    [{ mean: "1e38" }, /^--mean expects a number/],
    [{ range: "1-255" }, /^--range expects 0-255 or 0-1, got "1-255"$/],
    // Of which pixels?
    [
      { mean: "0.485,0.456,0.406", std: "0.229,0.224,0.225" },
      /^--mean 0\.485,.* and --std .* may be of pixels from 0 to/,
    ],
    [
      { mean: "0.5", scale: "2" },
      /^--mean 0\.5 may be of pixels from 0 to 1 or to 255; --range 0-1 or --range 0-255 says/,
    ],
    [{ mean: "0", std: "1" }, /^--mean 0 and --std 1 may be/],
    [
      { mean: "127.5", std: "0.0078" },
      /^--std 0\.0078 would divide pixels from 0 to 255 by less than 1; is it --scale/,
    ],
    [{ std: "0.5", range: "0-255" }, /^--std 0\.5 would divide/],
    [{ mean: "123.7", range: "0-1" }, /^--mean 123\.7 is not of pixels from 0 to 1; --range 0-255 says/],
    [{ mean: "0.5", std: "58", range: "0-1" }, /^--std 58 is not of pixels from 0 to 1/],
  ];
  for (const [said, message] of cases) refuses(() => read(said), message);
  refuses(
    () => read({ mean: "104,117,123" }, "0-1"),
    /^--mean 104,117,123 is not of pixels from 0 to 1; --range 0-255/,
  );
  refuses(() => formatOf({ scale: [1, 2] }, 3), /^2 factors \(--std, --scale\) are given, the picture has 3 channels$/);
  refuses(() => formatOf(read({ pixels: "imagenet-torch" }), 1), /^3 means are given, the picture has 1 channel$/);
});
