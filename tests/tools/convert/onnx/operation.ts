/**
 * A model of a single operator, as ONNX's own conformance tests have them: everything is an input of the model, what must be
 * known is given. It is converted, run through the float64 references of the layers, and compared with the operator.
 */
import assert from "node:assert/strict";
import { tensorOf } from "../../../../tools/convert/onnx/tensor.ts";
import { assertClose } from "../../../reference/close.ts";
import { normal, randomTensor } from "../../../reference/random.ts";
import { map, type Tensor, tensor } from "../../../reference/tensor.ts";
import { convert, networkOf, run } from "./converted.ts";
import { type AttributeFile, onnxModel } from "./writer.ts";

/**
 * One operator. The inputs named "known…" are given with --constant, "whole…" are that and int64; "int…" are int32 numbers
 * and "bool…" booleans that the network is fed.
 */
export interface Operation {
  type: string;
  name?: string;
  opset?: number;
  producer?: string;
  attributes?: Record<string, AttributeFile>;
  inputs: Record<string, Tensor>;
  expected: (inputs: Record<string, Tensor>) => Tensor;
  outputs?: string[];
}

// Weights are stored as float32.
const tolerance = 1e-6;

/** A random tensor. */
export const x = (...shape: number[]): Tensor => randomTensor(shape, normal(`x ${shape}`));

/** Another. */
export const w = (...shape: number[]): Tensor => randomTensor(shape, normal(`w ${shape}`));

/** Random integers, none of them 0. */
export const integers = (...shape: number[]): Tensor =>
  map(x(...shape), (value) => Math.round(7 * value) || Math.sign(value));

/** Random booleans. */
export const booleans = (...shape: number[]): Tensor => map(x(...shape), (value) => Number(value > 0));

/** A list of numbers. */
export const numbers = (...values: number[]): Tensor => tensor([values.length], values);
/** Registers the test of an operator. */
export function check({ type, name, opset, producer, attributes, inputs, outputs = ["y"], expected }: Operation): void {
  Deno.test(`onnx: ${type}${name ? `, ${name}` : ""}`, () => {
    const names = Object.keys(inputs);
    const isWhole = (input: string) => input.startsWith("whole");
    const typeOf = (input: string) =>
      isWhole(input) ? 7 : input.startsWith("int") ? 6 : input.startsWith("bool") ? 9 : 1;
    const bytes = onnxModel({
      opset,
      producer,
      nodes: [{ type, inputs: names, outputs, attributes }],
      inputs: names.map((input) => ({ name: input, shape: inputs[input].shape, type: typeOf(input) })),
      outputs,
    });
    const known = names.filter((input) => input.startsWith("known") || isWhole(input)).map((input) => {
      const { shape, data } = inputs[input];
      return [input, tensorOf(isWhole(input) ? "int64" : "float32", shape, data, input)] as const;
    });
    const model = convert(bytes, { constants: new Map(known) });
    assertClose(type, run(model, inputs), expected(inputs), tolerance);
    assert.deepEqual(
      networkOf(model).inputs.map(({ name }) => name),
      names.filter((input) => !/^(known|whole)/.test(input)),
    );
  });
}
