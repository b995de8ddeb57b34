/** ONNX models as an exporter would write them. */
import { bytesField, join, text, varint } from "../protobuf.ts";

/** How a tensor's values lie in the file. */
export interface TensorForm {
  /** ONNX's number of the type: float unless given. */
  type?: number;
  /** In a list of the type's own, not raw. */
  list?: boolean;
  /** In another file: its name, and where in it. */
  external?: Record<string, string>;
}

/** A tensor; `values` are its elements, or their bits where the type is float16 or bfloat16. */
export interface TensorFile extends TensorForm {
  shape: number[];
  values: ArrayLike<number>;
}

/** Operators with what they know. */
export interface GraphFile {
  nodes: NodeFile[];
  initializers?: Record<string, TensorFile>;
  inputs?: ValueFile[];
  outputs: string[];
}

/** An attribute: a whole number, a float written as [x], whole numbers, floats, text, texts, a tensor or a graph. */
export type AttributeFile =
  | number
  | { float: number }
  | number[]
  | { floats: number[] }
  | string
  | string[]
  | TensorFile
  | GraphFile;

/** An operator. */
export interface NodeFile {
  type: string;
  inputs: string[];
  outputs: string[];
  name?: string;
  domain?: string;
  attributes?: Record<string, AttributeFile>;
}

/** An input or output: a size, or the name of one that is open; float unless another type is given. */
export interface ValueFile {
  name: string;
  shape: (number | string)[];
  type?: number;
}

/** A model. */
export interface ModelFile extends GraphFile {
  opset?: number;
  producer?: string;
  inputs: ValueFile[];
}

/** A signed number as a varint. */
function signed(value: number): Uint8Array {
  if (value >= 0) return varint(value);
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); rest > 0n; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | (rest >= 128n ? 128 : 0));
  }
  return Uint8Array.from(bytes);
}

const number = (field: number, value: number) => join(varint(field << 3), signed(value));
const named = (field: number, value: string) => bytesField(field, text(value));
const floats = (values: ArrayLike<number>) => new Uint8Array(Float32Array.from(values).buffer);

/** The elements, little-endian. */
function raw(values: ArrayLike<number>, type: number): Uint8Array {
  const list = Array.from(values);
  if (type === 7) return new Uint8Array(BigInt64Array.from(list.map(BigInt)).buffer);
  const arrays = {
    1: Float32Array,
    2: Uint8Array,
    3: Int8Array,
    5: Int16Array,
    6: Int32Array,
    9: Uint8Array,
    10: Uint16Array,
    11: Float64Array,
    16: Uint16Array,
  };
  return new Uint8Array(arrays[type as keyof typeof arrays].from(list).buffer);
}

function list(values: ArrayLike<number>, type: number): Uint8Array {
  if (type === 1) return bytesField(4, raw(values, 1));
  if (type === 11) return bytesField(10, raw(values, 11));
  return bytesField(type === 7 ? 7 : 5, join(...Array.from(values, signed)));
}

/** A TensorProto. */
export function tensorProto({ shape, values, type = 1, list: inList, external }: TensorFile, name = ""): Uint8Array {
  const head = [...shape.map((n) => number(1, n)), number(2, type), named(8, name)];
  if (external) {
    const entries = Object.entries(external).map(([key, value]) =>
      bytesField(13, join(named(1, key), named(2, value)))
    );
    return join(...head, ...entries, number(14, 1));
  }
  return join(...head, inList ? list(values, type) : bytesField(9, raw(values, type)));
}

function attributeProto(name: string, value: AttributeFile): Uint8Array {
  const head = named(1, name);
  if (typeof value === "number") return join(head, number(3, value), number(20, 2));
  if (typeof value === "string") return join(head, named(4, value), number(20, 3));
  if ("float" in value) return join(head, varint(2 << 3 | 5), floats([value.float]), number(20, 1));
  if ("floats" in value) return join(head, bytesField(7, floats(value.floats)), number(20, 6));
  if ("shape" in value) return join(head, bytesField(5, tensorProto(value)), number(20, 4));
  if ("nodes" in value) return join(head, bytesField(6, graphProto(value)), number(20, 5));
  const items = value.map((item) => typeof item === "string" ? named(9, item) : number(8, item));
  return join(head, ...items, number(20, typeof value[0] === "string" ? 8 : 7));
}

const nodeProto = ({ type, inputs, outputs, name, domain, attributes = {} }: NodeFile) =>
  join(
    ...inputs.map((input) => named(1, input)),
    ...outputs.map((output) => named(2, output)),
    ...(name ? [named(3, name)] : []),
    named(4, type),
    ...Object.entries(attributes).map(([key, value]) => bytesField(5, attributeProto(key, value))),
    ...(domain ? [named(7, domain)] : []),
  );

function valueProto({ name, shape, type = 1 }: ValueFile): Uint8Array {
  const dims = shape.map((n) => bytesField(1, typeof n === "number" ? number(1, n) : named(2, n)));
  return join(named(1, name), bytesField(2, bytesField(1, join(number(1, type), bytesField(2, join(...dims))))));
}

/** A GraphProto. */
const graphProto = ({ nodes, initializers = {}, inputs = [], outputs }: GraphFile): Uint8Array =>
  join(
    ...nodes.map((node) => bytesField(1, nodeProto(node))),
    named(2, "graph"),
    ...Object.entries(initializers).map(([name, tensor]) => bytesField(5, tensorProto(tensor, name))),
    ...inputs.map((input) => bytesField(11, valueProto(input))),
    ...outputs.map((name) => bytesField(12, named(1, name))),
  );

/** A ModelProto. */
export const onnxModel = ({ opset = 18, producer, ...graph }: ModelFile): Uint8Array =>
  join(
    number(1, 8),
    ...producer ? [named(2, producer)] : [],
    bytesField(7, graphProto(graph)),
    bytesField(8, join(named(1, ""), number(2, opset))),
  );

/** A tensor of float32 numbers, raw. */
export const float = (shape: number[], values: ArrayLike<number>): TensorFile => ({ shape, values });

/** A list of int64 numbers, raw. */
export const int64 = (...values: number[]): TensorFile => ({ shape: [values.length], values, type: 7 });
