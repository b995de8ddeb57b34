/** What of Caffe's layers cannot be converted, and how that is told. */
import { type Blob, blob } from "./caffe_files.ts";
import { convert, net, refuses } from "./converted.ts";

const relu = 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }';

Deno.test("caffe: each fault names the line, the layer and what to do", () => {
  const fault = (type: string, blobs?: Blob[]) => () =>
    convert(net([1, 3, 3], `\nlayer { name: "l" bottom: "data" top: "l" type: ${type} }`), blobs && { l: blobs });
  const conv = '"Convolution" convolution_param { num_output: 1 kernel_size: 2 }';
  const two = net([2], 'layer { name: "l" type: "ReLU" bottom: "data" bottom: "data" top: "l" }');
  const faults: [() => unknown, RegExp][] = [
    [
      fault('"RNN"'),
      /^net.prototxt:2: layer "l" \("RNN"\): this type is not supported: .* is LSTM; docs\/caffe.md lists those that are$/,
    ],
    [fault('"Filter"'), /this type is not supported; docs\/caffe.md lists those that are$/],
    [fault('"LSTM" recurrent_param { expose_hidden: true }'), /"expose_hidden" is not supported/],
    [
      fault('"LSTM" bottom: "data" bottom: "data" recurrent_param { num_output: 2 }'),
      /a static input is not supported/,
    ],
    [
      fault('"LSTM" bottom: "data" recurrent_param { num_output: 2 }'),
      /the continuation marker has items of 1×3×3, expected 1$/,
    ],
    [
      fault('"InnerProduct" inner_product_param { num_output: 2 axis: 0 }'),
      /along axis 0, but the items of the batch are apart/,
    ],
    [fault('"InnerProduct" inner_product_param { num_output: 2 axis: 4 }'), /has the axes 0 to 3/],
    [fault('"Bias" bottom: "data"'), /its bottoms are \[1,3,3\] and \[1,3,3\] from axis 1 on; only two with/],
    [
      fault('"Reshape" reshape_param { shape { dim: 16 dim: -1 dim: 3 } }'),
      /the first axis must stay the batch, or the first two be time and streams of whole items/,
    ],
    [fault('"constructor"'), /this type is not supported/],
    [fault('"Convolution" convolution_param { kernel_size: 2 }'), /"num_output" is missing/],
    [fault('"Convolution" convolution_param { num_output: 1 }'), /"kernel_size" is missing/],
    [fault('"Convolution" convolution_param { num_output: 1 kernel_sise: 2 }'), /"kernel_size" is missing/],
    [
      fault('"ReLU" relu_param { slope: 2 }'),
      /^net.prototxt:2: layer "l" \("ReLU"\) has no parameter "slope" that is known here$/,
    ],
    [fault('"ReLU" relu_parameter { }'), /has no parameter "relu_parameter"/],
    [fault('"Convolution" convolution_param { num_output: 1 kernel_size: 9 }', []), /kernel covers 9 positions/],
    [fault(conv), /the caffemodel has no layer of this name/],
    [fault(conv, [blob([1], [1])]), /the caffemodel has 1 blobs for it, expected 2/],
    [
      fault(conv, [blob([4], [1, 1, 1, 1]), blob([1], [1])]),
      /its weight has shape \[4\] in the caffemodel, expected \[1,1,2,2\]/,
    ],
    [fault(conv, [blob([1, 1, 2, 2], [1, NaN, 1, 1]), blob([1], [1])]), /its weight holds NaN or infinity/],
    [fault('"LRN" lrn_param { local_size: 4 }'), /"local_size" is 4, expected an odd number/],
    [fault('"Pooling" pooling_param { pool: STOCHASTIC kernel_size: 2 }'), /"pool" is STOCHASTIC; only MAX and AVE/],
    [
      fault('"BatchNorm" batch_norm_param { use_global_stats: false }'),
      /"use_global_stats" is false: it takes each batch's own statistics/,
    ],
    [fault('"Scale" scale_param { axis: 0 }'), /along axis 0; only the channels/],
    [fault('"Permute" permute_param { order: 1 }'), /its order is \[1\]; only one that leaves the batch first/],
    [
      fault('"Permute" permute_param { order: 0 order: 4 }'),
      /"order" is \[3,0,1,2\], expected each dimension of 1×3×3/,
    ],
    [fault('"DetectionOutput"'), /not supported: how many boxes it gives hangs on the picture/],
    [fault('"Reshape" reshape_param { shape { dim: 3 dim: 3 } }'), /the first axis must stay the batch/],
    [fault('"Reshape" reshape_param { shape { dim: 0 dim: 4 } }'), /1×3×3 = 9 values do not fit into \[4\]/],
    [fault('"ReLU" top: "other"'), /1 bottoms and 2 tops, expected 1 and 1/],
    [fault('"Eltwise" bottom: "nothing"'), /no layer before it makes its bottom "nothing"/],
    [() => convert(two), /it has 2 bottoms and 1 tops, expected 1 and 1/],
    [() => convert(net([2], relu + relu)), /layer "r": the name is taken by an earlier layer/],
  ];
  for (const [run, message] of faults) refuses(run, message);
});
