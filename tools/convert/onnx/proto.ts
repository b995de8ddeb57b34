/**
 * .onnx: the parts of its messages that a network at inference consists of, by their field numbers.
 *
 *     ModelProto      producer_name 2, graph 7, opset_import 8 { domain 1, version 2 }
 *     GraphProto      node 1, initializer 5, input 11, output 12, sparse_initializer 15
 *     NodeProto       input 1, output 2, name 3, op_type 4, attribute 5, domain 7
 *     AttributeProto  name 1, f 2, i 3, s 4, t 5, g 6, floats 7, ints 8, strings 9
 *     ValueInfoProto  name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1, dim_param 2 } } } }
 */
import { refuseText } from "../../../src/formats/kinds.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { content, type Field, fields, varints } from "../protobuf.ts";
import { type ExternalFile, type OnnxTensor, readTensor } from "./tensor.ts";

/** An attribute's value. */
export type Attribute = number | number[] | string | string[] | OnnxTensor | OnnxGraph;

/** One operator. */
export interface OnnxNode {
  name: string;
  type: string;
  /** "" for ONNX's own operators. */
  domain: string;
  /** "" for an optional one that is left out. */
  inputs: string[];
  outputs: string[];
  attributes: Map<string, Attribute>;
}

/** An input or output; the type is absent where it is no tensor, the shape where it is not written. */
export interface OnnxValue {
  name: string;
  elementType?: number;
  /** A size, or the name of one that is left open. */
  shape?: (number | string)[];
}

/** Operators in their order, with what is known of their inputs. */
export interface OnnxGraph {
  nodes: OnnxNode[];
  initializers: Map<string, OnnxTensor>;
  inputs: OnnxValue[];
  outputs: OnnxValue[];
}

/** A model. */
export interface OnnxModel extends OnnxGraph {
  /** The version of ONNX's own operators. */
  opset: number;
  /** The program that wrote it, such as "pytorch". */
  producer: string;
}

/** Graphs within graphs past which a file is damaged. */
const MOST_DEPTH = 16;

/** What a node reads: its inputs, and what the graphs among its attributes read of the graph that it is in. */
export function readsOf({ inputs, attributes }: OnnxNode): Set<string> {
  const graphs = [...attributes.values()].filter((value) => typeof value === "object" && "nodes" in value);
  const inner = graphs.flatMap(({ nodes, initializers, outputs }) => {
    const own = new Set([...initializers.keys(), ...nodes.flatMap(({ outputs }) => outputs)]);
    const read = [...outputs.map(({ name }) => name), ...nodes.flatMap((node) => [...readsOf(node)])];
    return read.filter((name) => !own.has(name));
  });
  return new Set([...inputs, ...inner]);
}

/** The names of ONNX's own operators' domain. */
const ownDomain = ["", "ai.onnx"];

/** Where bytes come from: the file's name in errors and how a file of external data is read. */
export interface OnnxSource {
  file: string;
  external: ExternalFile;
}

const text = (bytes: Uint8Array, field: Field, file: string) => new TextDecoder().decode(content(bytes, field, file));

/**
 * Reads a model. Tensors are views into `bytes` where they lie there raw.
 * @throws UserError where the file is no sound ONNX model.
 */
export function readOnnx(bytes: Uint8Array, source: OnnxSource): OnnxModel {
  const { file } = source;
  refuseText(bytes, file, "an ONNX model", "onnx");
  let graph: Uint8Array | undefined;
  let opset: number | undefined;
  let producer = "";
  for (const field of fields(bytes, file)) {
    if (field.number === 2) producer = text(bytes, field, file);
    else if (field.number === 7) graph = content(bytes, field, file);
    else if (field.number === 8) {
      const { domain, version } = readOpset(content(bytes, field, file), file);
      if (ownDomain.includes(domain)) opset = version;
    }
  }
  if (!graph) throw new UserError(`${file}: there is no graph in it; is it an ONNX model?`);
  if (!(opset! > 0)) throw new UserError(`${file}: it does not say of which version its operators are`);
  return { opset: opset!, producer, ...readGraph(graph, source, 0) };
}

function readOpset(bytes: Uint8Array, file: string): { domain: string; version: number } {
  let domain = "";
  let version = 0;
  for (const field of fields(bytes, file)) {
    if (field.number === 1) domain = text(bytes, field, file);
    else if (field.number === 2) version = field.value;
  }
  return { domain, version };
}

/** @param depth How many graphs it lies in. */
function readGraph(bytes: Uint8Array, source: OnnxSource, depth: number): OnnxGraph {
  const { file } = source;
  const nodes: OnnxNode[] = [];
  const inputs: OnnxValue[] = [];
  if (depth > MOST_DEPTH) {
    throw new UserError(`${file}: it has graphs in graphs, more than ${MOST_DEPTH} deep; is it damaged?`);
  }
  const outputs = new Map<string, OnnxValue>();
  const initializers = new Map<string, OnnxTensor>();
  for (const field of fields(bytes, file)) {
    if (field.number === 1) nodes.push(readNode(content(bytes, field, file), source, depth));
    else if (field.number === 5) {
      const tensor = readTensor(content(bytes, field, file), source.file, source.external);
      initializers.set(tensor.name, tensor);
    } else if (field.number === 11) inputs.push(readValue(content(bytes, field, file), file));
    else if (field.number === 12) {
      const value = readValue(content(bytes, field, file), file);
      outputs.set(value.name, value); // once, however often it is listed
    } else if (field.number === 15) {
      throw new UserError(`${file}: it has sparse weights, which are not supported; export it with dense ones`);
    }
  }
  return { nodes, initializers, inputs, outputs: [...outputs.values()] };
}

function readNode(bytes: Uint8Array, source: OnnxSource, depth: number): OnnxNode {
  const { file } = source;
  const node: OnnxNode = { name: "", type: "", domain: "", inputs: [], outputs: [], attributes: new Map() };
  for (const field of fields(bytes, file)) {
    if (field.number === 1) node.inputs.push(text(bytes, field, file));
    else if (field.number === 2) node.outputs.push(text(bytes, field, file));
    else if (field.number === 3) node.name = text(bytes, field, file);
    else if (field.number === 4) node.type = text(bytes, field, file);
    else if (field.number === 5) {
      const { name, value } = readAttribute(content(bytes, field, file), source, depth);
      if (value !== undefined) node.attributes.set(name, value);
    } else if (field.number === 7) node.domain = text(bytes, field, file);
  }
  if (ownDomain.includes(node.domain)) node.domain = "";
  return node;
}

function readAttribute(bytes: Uint8Array, source: OnnxSource, depth: number): { name: string; value?: Attribute } {
  const { file, external } = source;
  let name = "";
  let value: Attribute | undefined;
  const numbers: number[] = [];
  const texts: string[] = [];
  const float = (at: number) => new DataView(bytes.buffer, bytes.byteOffset).getFloat32(at, true);
  for (const field of fields(bytes, file)) {
    if (field.number === 1) name = text(bytes, field, file);
    else if (field.number === 2 && field.wire === 5) value = float(field.start);
    else if (field.number === 3) [value] = varints(bytes, field, file);
    else if (field.number === 4) value = text(bytes, field, file);
    else if (field.number === 5) value = readTensor(content(bytes, field, file), file, external);
    else if (field.number === 6) value = readGraph(content(bytes, field, file), source, depth + 1);
    else if (field.number === 7) {
      for (let at = field.start; at + 4 <= field.end; at += 4) numbers.push(float(at));
      value = numbers;
    } else if (field.number === 8) {
      for (const number of varints(bytes, field, file)) numbers.push(number);
      value = numbers;
    } else if (field.number === 9) {
      texts.push(text(bytes, field, file));
      value = texts;
    } else if (field.number === 20 && (field.value === 6 || field.value === 7)) value ??= numbers; // an empty list
  }
  return { name, value };
}

function readValue(bytes: Uint8Array, file: string): OnnxValue {
  const value: OnnxValue = { name: "" };
  for (const field of fields(bytes, file)) {
    if (field.number === 1) value.name = text(bytes, field, file);
    else if (field.number === 2) {
      const type = content(bytes, field, file);
      for (const kind of fields(type, file)) {
        if (kind.number === 1) Object.assign(value, readTensorType(content(type, kind, file), file));
      }
    }
  }
  return value;
}

function readTensorType(bytes: Uint8Array, file: string): Omit<OnnxValue, "name"> {
  let elementType: number | undefined;
  let shape: (number | string)[] | undefined;
  for (const field of fields(bytes, file)) {
    if (field.number === 1) elementType = field.value;
    else if (field.number === 2) {
      const dims = content(bytes, field, file);
      shape = [];
      for (const dim of fields(dims, file)) {
        if (dim.number === 1) shape.push(readDimension(content(dims, dim, file), file));
      }
    }
  }
  return { elementType, shape };
}

/** A size; one that is not written is open, without a name. */
function readDimension(bytes: Uint8Array, file: string): number | string {
  let size: number | string = "?";
  for (const field of fields(bytes, file)) {
    if (field.number === 1) [size] = varints(bytes, field, file);
    else if (field.number === 2) size = text(bytes, field, file);
  }
  return size;
}
