/** The three forms that most small kernels take as calls. */
import { channelwise, elementwise } from "../../shaders/elementwise.ts";
import { type Binding, type Call, read } from "../gpu/call.ts";
import type { Tensor } from "../gpu/tensor.ts";

/** A call that reads `inputs` by name, writes `outputs`, and runs once for each texel of the first output. */
export function texelCall(
  label: string,
  inputs: Record<string, Tensor>,
  outputs: Record<string, Binding>,
  code: string,
  flopsPerValue = 1,
): Call {
  const { texels } = Object.values(outputs)[0].tensor;
  const reads = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, read(tensor)]));
  return { label, bindings: { ...reads, ...outputs }, code, invocations: texels, flops: 4 * texels * flopsPerValue };
}

/** A call that makes each texel of `out` by a WGSL expression of the inputs' texels at the same place. */
export function elementwiseCall(label: string, inputs: Record<string, Tensor>, out: Binding, expression: string): Call {
  return texelCall(label, inputs, { out }, elementwise(Object.keys(inputs), expression));
}

/** As `elementwiseCall`, with `vectors` that hold one value for each of the output's channels. */
export function channelwiseCall(
  label: string,
  inputs: Record<string, Tensor>,
  vectors: Record<string, Tensor>,
  out: Binding,
  expression: string,
): Call {
  const [, c, h, w] = out.tensor.shape;
  const code = channelwise(Object.keys(inputs), Object.keys(vectors), c, h * w, expression);
  return texelCall(label, { ...inputs, ...vectors }, { out }, code, 2);
}

/** Whether an expression in WGSL has a name in it: a kernel binds no tensor that it does not read. */
export const mentions = (expression: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(expression);
