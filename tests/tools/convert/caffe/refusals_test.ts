/** What the layers' rules refuse, each in a sentence that names the layer and says what was expected. */
import assert from "node:assert/strict";
import type { UserError } from "../../../../src/formats/user_error.ts";
import { type Blob, blob } from "../caffe_files.ts";
import { convert, refuses } from "../converted.ts";

/** A layer of `bottoms` times the same bottom, and what is said of it. */
const faults: [layer: string, message: RegExp, how?: { bottoms?: number; shape?: number[]; blobs?: Blob[] }][] = [
  ['"Clip" clip_param { min: 0 }', /"max" is missing$/],
  ['"Clip" clip_param { min: 2 max: 1 }', /"min" is 2 and "max" 1, expected a "max" that is not less/],
  ['"Exp" exp_param { base: 0 }', /"base" is 0, expected a number above 0, or -1 for e/],
  ['"Log" log_param { base: -2 }', /"base" is -2, expected/],
  ['"Log" log_param { base: 1 }', /"base" is 1, to which there is no logarithm/],
  ['"Power" power_param { power: inf }', /"power" is Infinity, expected a number/],
  ['"Power" bottom: "data"', /it has 2 bottoms and 1 tops, expected 1 and 1/],
  ['"ReLU6" relu6_param { threshold: 0 }', /"threshold" 0, expected numbers ≥ 0 and above 0/],
  ['"AbsVal" abs_val_param { x: 1 } threshold: 1', /\("AbsVal"\) has no parameter "threshold" that is known here/],
  ['"Reduction" reduction_param { operation: MAX }', /"operation" is MAX, expected SUM or ASUM or SUMSQ or MEAN/],
  ['"Reduction" reduction_param { operation: 0 }', /"operation" is 0, expected SUM or/],
  ['"Reduction"', /it works along axis 0, but the items of the batch are apart, unless every input has a batch of one/],
  ['"Reduction" reduction_param { axis: 4 }', /"axis" is 4; its bottom has the axes 0 to 3/],
  ['"Concat" concat_param { axis: 0 }', /it works along axis 0/],
  ['"Concat" concat_param { axis: 1 concat_dim: 1 }', /"axis" and "concat_dim" are both given/],
  [
    '"Flatten" flatten_param { axis: 3 end_axis: 2 }',
    /it flattens the axes 3 to 2, expected an end that is not before/,
  ],
  ['"Tile"', /"tiles" is missing/],
  ['"Tile" tile_param { tiles: 0 }', /"tiles" is 0, expected a whole number ≥ 1/],
  ['"Tile" tile_param { tiles: 1000000000 }', /it makes an axis of 3000000000, expected at most 262144/],
  ['"ShuffleChannel" shuffle_channel_param { group: 2 }', /"group" is 2, which does not divide 3 channels/],
  ['"MVN"', /its bottom has one value a channel, which has no variance/, { shape: [3] }],
  ['"Normalize"', /the caffemodel has no layer of this name/],
  ['"Normalize"', /its scale has shape \[3\] in the caffemodel, expected one number/, {
    blobs: [blob([3], [1, 2, 3])],
  }],
  [
    '"Normalize" norm_param { channel_shared: false }',
    /its weight has shape \[1\] in the caffemodel, expected \[3\]/,
    { blobs: [blob([1], [1])] },
  ],
  ['"SPP"', /"pyramid_height" is missing, expected 1 to 16/],
  ['"SPP" spp_param { pyramid_height: 99 }', /"pyramid_height" is 99, expected 1 to 16/],
  ['"SPP" spp_param { pyramid_height: 4 }', /the padding \[0,2,0,2\] is not smaller than the kernel \[1,2\]/],
  ['"SPP" spp_param { pyramid_height: 1 pool: STOCHASTIC }', /"pool" is STOCHASTIC; only MAX and AVE are supported/],
  ['"SPP" spp_param { pyramid_height: 1 }', /its bottom has items of \[3\], expected \[channels, height, width\]/, {
    shape: [3],
  }],
  ['"Interp"', /it says no size: expected "zoom_factor"/],
  ['"Interp" interp_param { pad_beg: 1 zoom_factor: 2 }', /"pad_beg" is 1 and "pad_end" 0, expected numbers ≤ 0/],
  ['"Interp" interp_param { pad_beg: -4 zoom_factor: 2 }', /its padding \[-4, 0\] leaves nothing of \[4,5\]/],
  ['"Interp" interp_param { height: 99999999 width: 9 }', /it makes maps of 99999999×9, expected sides up to 65536/],
  ['"Upsample"', /"scale" is missing/],
  ['"Upsample" upsample_param { scale: 0 }', /"scale" is 0, expected whole numbers ≥ 1/],
  ['"Upsample" bottom: "data" upsample_param { scale: 2 }', /its second bottom tells where maxima were/],
  ['"Axpy"', /it has 1 bottoms and 1 tops, expected 3 and 1/],
  [
    '"Axpy" bottom: "data" bottom: "data"',
    /its bottoms have items of \[3,4,5\], \[3,4,5\], \[3,4,5\], expected one value/,
  ],
  ['"BN"', /the caffemodel has 3 blobs for it, expected 4/, { blobs: Array(3).fill(blob([3], [1, 2, 3])) }],
  ['"BN"', /it has no statistics: it takes each batch's own, unless "bn_mode" is INFERENCE/, {
    blobs: Array(2).fill(blob([3], [1, 2, 3])),
  }],
  [
    '"DepthwiseConvolution" convolution_param { num_output: 4 kernel_size: 1 }',
    /4 output channels|channels/,
    { blobs: [blob([4, 1, 1, 1], [1, 2, 3, 4]), blob([4], [1, 2, 3, 4])] },
  ],
  [
    '"Convolution" bottom: "data" convolution_param { num_output: 1 kernel_size: 1 }',
    /2 bottoms and 1 tops, expected/,
    {
      blobs: [blob([1, 3, 1, 1], [1, 2, 3]), blob([1], [1])],
    },
  ],
  [
    '"Im2col" convolution_param { kernel_size: 65536 }',
    /its windows have 3 channels of 4294967296 values, which are too/,
  ],
  ['"Embed" embed_param { num_output: 2 }', /"input_dim" is missing, expected 1 to/],
  ['"Embed" embed_param { input_dim: 2 }', /"num_output" is missing/],
];

Deno.test("caffe: each fault of a layer is one sentence", () => {
  for (const [layer, message, { shape = [3, 4, 5], blobs } = {}] of faults) {
    const text = `input: "data" input_shape { dim: [2, ${shape}] }
      layer { name: "l" bottom: "data" top: "l" type: ${layer} }`;
    refuses(() => convert(text, blobs && { l: blobs }), message);
    refuses(() => convert(text, blobs && { l: blobs }), /^net\.prototxt:2: layer "l" \("\w+"\)/);
  }
});

Deno.test("caffe: where the maxima were is refused where it is read", () => {
  const text = `input: "data" input_shape { dim: [1, 1, 4, 4] }
    layer { name: "p" type: "Pooling" bottom: "data" top: "p" top: "mask" pooling_param { kernel_size: 2 stride: 2 } }
    layer { name: "u" type: "Upsample" bottom: "p" bottom: "mask" top: "u" upsample_param { scale: 2 } }`;
  refuses(
    () => convert(text),
    /^net.prototxt:2: layer "p" \("Pooling"\): its second top "mask", where the maxima were, is/,
  );
});

Deno.test("caffe: no refusal advises another network", () => {
  const types = ["ArgMax", "DetectionOutput", "PriorBox", "Python", "RNN", "ROIPooling", "Filter"];
  for (const type of types) {
    const text =
      `input: "data" input_shape { dim: [1, 2] } layer { name: "l" bottom: "data" top: "l" type: "${type}" }`;
    assert.throws(() => convert(text), (error: UserError) => !/delete|in its place|write it|use /.test(error.message));
  }
});
