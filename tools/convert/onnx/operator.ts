/** One operator as its rule sees it: its attributes and inputs, with every way in which they may be wrong. */
import { UserError } from "../../../src/formats/user_error.ts";
import type { Attribute, OnnxModel, OnnxNode } from "./proto.ts";
import { type ElementType, integral, type OnnxTensor } from "./tensor.ts";
import { isTraced, NotBatched, type Operand, type Trace, type Traced } from "./trace.ts";

/** What an operator of a type becomes: a value for each output, undefined for one that is not to be had. */
export type Rule = (o: Operator) => (Operand | undefined)[];

/** An operator. */
export class Operator {
  constructor(
    readonly node: OnnxNode,
    readonly model: Pick<OnnxModel, "opset" | "producer">,
    readonly trace: Trace,
    readonly inputs: readonly (Operand | undefined)[],
    /** The inputs' element types in the model; all are computed as float32. */
    readonly types: readonly (ElementType | undefined)[],
  ) {}

  /** The version of ONNX's own operators. */
  get opset(): number {
    return this.model.opset;
  }

  #attribute<T extends Attribute>(
    name: string,
    valid: (value: Attribute) => value is T,
    expected: string,
  ): T | undefined {
    const value = this.node.attributes.get(name);
    if (value === undefined || valid(value)) return value;
    throw new UserError(`its attribute "${name}" is not ${expected}`);
  }

  /** An attribute that is a number. */
  number(name: string): number | undefined;
  number(name: string, fallback: number): number;
  number(name: string, fallback?: number): number | undefined {
    return this.#attribute(name, (v): v is number => typeof v === "number" && Number.isFinite(v), "a number") ??
      fallback;
  }

  /** An attribute that is a list of numbers. */
  numbers(name: string): number[] | undefined {
    return this.#attribute(
      name,
      (v): v is number[] => Array.isArray(v) && v.every((n) => typeof n === "number"),
      "a list of numbers",
    );
  }

  /** An attribute that is text. */
  text(name: string, fallback: string): string {
    return this.#attribute(name, (v): v is string => typeof v === "string", "text") ?? fallback;
  }

  /** An attribute that is a tensor. */
  tensor(name: string): OnnxTensor | undefined {
    return this.#attribute(
      name,
      (v): v is OnnxTensor => typeof v === "object" && "values" in v && "shape" in v,
      "a tensor",
    );
  }

  /** An input, known or computed. */
  input(n: number): Operand {
    const value = this.inputs[n];
    if (value === undefined) throw new UserError(`its input ${n + 1} is missing`);
    return value;
  }

  /** An input as a value that is computed. */
  computed(n: number): Traced {
    const value = this.input(n);
    return this.trace.computed(value, this.trace.batch !== undefined && !isTraced(value) ? value.shape.length : 0);
  }

  /** An input that must be known before the network runs, where it is there. @param what It is, as in "the weight". */
  known(n: number, what: string): OnnxTensor | undefined {
    const value = this.inputs[n];
    if (!isTraced(value)) return value;
    throw new UserError(
      value.input === undefined
        ? `${what}, its input ${
          JSON.stringify(this.node.inputs[n])
        }, is computed from the network's input; it must be constant`
        : `${what}, the model's input ${JSON.stringify(value.input)}, must be constant; ` +
          `give its value with --constant ${value.input}=FILE.npy`,
    );
  }

  /** A known input that must be there. */
  needed(n: number, what: string): OnnxTensor {
    const value = this.known(n, what);
    if (!value) throw new UserError(`${what}, its input ${n + 1}, is missing`);
    return value;
  }

  /** Whole numbers from an attribute, or in later versions from an input. */
  integers(attribute: string, n: number, what: string): number[] | undefined {
    const known = this.known(n, what);
    const values = known ? Array.from(known.values) : this.numbers(attribute);
    if (!(values?.every(Number.isInteger) ?? true)) throw new UserError(`${what} are not whole numbers`);
    // The largest int64 stands for the end.
    return values?.map((value) => Math.min(Math.max(value, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER));
  }

  /** Whether an input holds integers. */
  isInteger(n: number): boolean {
    return integral(this.types[n]);
  }

  /** Shape of an input in the model. */
  shape(n: number): readonly number[] {
    return this.trace.shapeOf(this.input(n));
  }

  /** An axis counted from the front. @throws UserError where a tensor of `rank` dimensions has none such. */
  axis(axis: number, rank: number): number {
    if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
    throw new UserError(`axis ${axis} is not in a tensor of ${rank} dimensions`);
  }

  /** @throws UserError unless every given attribute has the only value that is supported. */
  only(values: Record<string, Attribute>): void {
    for (const [name, value] of Object.entries(values)) {
      const own = this.node.attributes.get(name);
      if (own !== undefined && JSON.stringify(own) !== JSON.stringify(value)) {
        throw new UserError(
          `its attribute "${name}" is ${JSON.stringify(own).slice(0, 60)}; only ${JSON.stringify(value)} is supported`,
        );
      }
    }
  }

  /** Restarts the trace with the whole tensor as one item, where axis 0 is the batch so far. */
  whole(): void {
    if (this.trace.batch !== undefined) throw new NotBatched();
  }
}
