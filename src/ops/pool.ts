/**
 * Maximum and average pooling. Output extent: ⌈(in + padding − kernel) / stride⌉ + 1, or the floor; under the ceiling
 * a last window that would start outside the image and its leading padding is dropped (Caffe, ONNX's ceil_mode).
 */
import { averagePool, maxPool, type PoolGeometry, poolGradient } from "../../shaders/pool.ts";
import { UserError } from "../formats/user_error.ts";
import { type Binding, write } from "../gpu/call.ts";
import { run } from "../gpu/tensor.ts";
import { texelCall } from "./calls.ts";
import { extent } from "./conv/params.ts";
import { doubleOutput, haveRests, withRests } from "./double_float.ts";
import type { Fields } from "./fields.ts";
import { needMap, type Node, type Op, type Position, type Reach, type Shape } from "./op.ts";
import { windowAt } from "./reach.ts";
import { MOST_TRIPS } from "./trips.ts";
import { elements } from "./way.ts";

/** Parameters of maxpool and avgpool in network.json; no `kernel` means the whole map. */
export interface PoolParams {
  kernel?: readonly [number, number];
  stride: readonly [number, number];
  padding: readonly [number, number, number, number];
  dilation: readonly [number, number];
  rounding: "ceil" | "floor";
  countPadding: boolean;
}

function parse(fields: Fields, average: boolean): PoolParams {
  const global = fields.boolean("global", false);
  return {
    kernel: global ? undefined : fields.pair("kernel", 1),
    stride: fields.pair("stride", 1, 1),
    padding: fields.sides("padding"),
    dilation: fields.pair("dilation", 1, 1),
    rounding: fields.choice("rounding", ["ceil", "floor"], "ceil"),
    countPadding: average ? fields.boolean("countPadding", true) : true,
  };
}

function outputShape([input]: readonly Shape[], p: PoolParams): Shape {
  const [c, ...size] = needMap(input);
  if (!p.kernel) return [c, 1, 1];
  const windows = extent({ ...p, kernel: p.kernel });
  const [h, w] = size.map((length, a) => {
    const padded = length + p.padding[a] + p.padding[a + 2];
    const room = padded - windows[a];
    if (p.padding[a] >= windows[a] || p.padding[a + 2] >= windows[a]) {
      throw new UserError(`the padding [${p.padding}] is not smaller than the kernel [${windows}]`);
    }
    const all = Math[p.rounding](room / p.stride[a]) + 1;
    if (all < 1) throw new UserError(`the kernel [${windows}] is larger than the padded input of ${padded}`);
    const out = (all - 1) * p.stride[a] >= length + p.padding[a] ? all - 1 : all;
    // Only a dilated window can step over all that there is: from its first position on, or back from its last.
    if (p.dilation[a] > length && Math.max(p.padding[a], p.padding[a + 2], (out - 1) * p.stride[a]) > 0) {
      throw new UserError(`the dilation [${p.dilation}] is larger than the input of ${length}: windows would be empty`);
    }
    return out;
  });
  return [c, h, w];
}

function checkLimits([input]: readonly Shape[], output: Shape, p: PoolParams): void {
  const [, ...map] = needMap(input);
  const [, ...out] = needMap(output);
  const { kernel = map, stride, padding, dilation } = p;
  const reach = extent({ kernel, dilation });
  const visits = kernel[0] * Math.ceil(kernel[1] / 4);
  // An input position is in so many windows, which its gradient visits.
  const windows = out.reduce((product, n, a) => product * Math.min(n, Math.ceil(reach[a] / stride[a])), 1);
  if (visits > MOST_TRIPS || windows > MOST_TRIPS) {
    throw new UserError(`windows of ${kernel.join("×")} with padding [${padding}] are larger than kernels can visit`);
  }
}

/** The window of a row or column. */
function reads(position: Position, _inputs: readonly Shape[], _output: Shape, p: PoolParams): Reach[] {
  return [p.kernel ? windowAt(position, { ...p, kernel: p.kernel }) : "all"];
}

function geometry({ inputs: [x], output: y, params: p }: Node<PoolParams>): PoolGeometry {
  const inSize = [x.shape[2], x.shape[3]] as const;
  const global = p.kernel === undefined;
  return {
    inSize,
    outSize: [y.shape[2], y.shape[3]],
    kernel: p.kernel ?? inSize,
    stride: global ? inSize : p.stride,
    padding: global ? [0, 0, 0, 0] : p.padding,
    dilation: global ? [1, 1] : p.dilation,
    countPadding: p.countPadding,
  };
}

/** The layer type `maxpool`; the gradient goes to the first maximum of each window, row by row. */
export const maxpool: Op<PoolParams> = {
  inputs: 1,
  parse: (fields) => parse(fields, false),
  outputShape,
  checkLimits,
  reads,
  keepsRest: haveRests,
  forward: [elements((node, y) => {
    const g = geometry(node);
    const { name, inputs: [x], saved } = node;
    const size = g.kernel[0] * g.kernel[1];
    const double = doubleOutput(y);
    const outputs: Record<string, Binding> = double?.bindings ?? { y };
    if (saved) saved.argmax = run(`${name} argmax`, y.tensor.texels, y.tensor.storage);
    const argmax: Record<string, Binding> = saved ? { argmax: write(saved.argmax) } : {};
    const inputs = double ? withRests({ x }) : { x };
    return [texelCall(name, inputs, { ...outputs, ...argmax }, maxPool(g, saved !== undefined, double), size)];
  })],
  backward: [elements((node, dy, [dx]) =>
    dx
      ? [texelCall(
        `${node.name} gradient`,
        { dy, argmax: node.saved!.argmax },
        { dx },
        poolGradient(geometry(node), false),
      )]
      : []
  )],
};

/** The layer type `avgpool`. */
export const avgpool: Op<PoolParams> = {
  inputs: 1,
  parse: (fields) => parse(fields, true),
  outputShape,
  checkLimits,
  reads,
  forward: [elements((node, y) => {
    const g = geometry(node);
    return [texelCall(node.name, { x: node.inputs[0] }, { y }, averagePool(g), g.kernel[0] * g.kernel[1])];
  })],
  backward: [
    elements((node, dy, [dx]) =>
      dx ? [texelCall(`${node.name} gradient`, { dy }, { dx }, poolGradient(geometry(node), true))] : []
    ),
  ],
};
