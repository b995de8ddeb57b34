/** Cases whose weights are numbers that a narrow format holds: unpacking costs no accuracy then. */
import { quantise } from "../../src/ops/conv/weights.ts";
import { map, type Tensor } from "../reference/tensor.ts";
import { type Case, caseNetwork, type NetworkCase } from "./case.ts";

/** A narrow format of weights. */
export type Narrow = "f16" | "i8";

/** A case whose weights are numbers that `format` holds. */
export function narrowed(testCase: Case, format: Narrow): NetworkCase {
  const network = caseNetwork(testCase);
  const weights = [...network.weights].map(([name, weight]): [string, Tensor] => {
    if (!/weight$/i.test(name)) return [name, weight];
    const [rows] = weight.shape;
    const row = weight.data.length / rows;
    const { integers, scales } = quantise(Float32Array.from(weight.data), rows);
    const value = (number: number, i: number) =>
      format === "f16" ? Math.f16round(number) : integers[i] * scales[Math.floor(i / row)];
    return [name, map(weight, value)];
  });
  return { ...network, weights: new Map(weights) };
}
