/** The two forms that most small kernels take as calls. */
import { elementwise } from "../../shaders/elementwise.ts";
import { type Binding, type Call, read } from "../gpu/kernel.ts";
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
