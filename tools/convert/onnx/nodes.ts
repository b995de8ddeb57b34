/** A graph's operators, one after the other: what is known is computed, all else becomes layers, a known choice one branch. */
import { UserError } from "../../../src/formats/user_error.ts";
import { activationRules } from "./activation_rules.ts";
import { fold, isFolded } from "./fold.ts";
import { lstmRules } from "./lstm.ts";
import { logicRules } from "./logic_rules.ts";
import { matrixRules } from "./matrix_rules.ts";
import { Operator, type Rule } from "./operator.ts";
import type { OnnxGraph, OnnxModel, OnnxNode } from "./proto.ts";
import { reductionRules } from "./reduction_rules.ts";
import { resizeRules } from "./resize_rules.ts";
import { shapeRules } from "./shape_rules.ts";
import { type ElementType, elementType, type OnnxTensor } from "./tensor.ts";
import { isTraced, type Made, type Operand, type Trace } from "./trace.ts";
import { valueRules } from "./value_rules.ts";
import { windowRules } from "./window_rules.ts";

/** What each operator becomes. */
const rules: Record<string, Rule> = {
  ...activationRules,
  ...logicRules,
  ...lstmRules,
  ...matrixRules,
  ...reductionRules,
  ...resizeRules,
  ...shapeRules,
  ...valueRules,
  ...windowRules,
};

/** A value by name, with its element type in the model. */
export interface Named {
  value: Operand;
  type?: ElementType;
}

/** The values of a graph by name, and within a branch those of the graph around it. */
export class Scope {
  readonly own = new Map<string, Named>();

  constructor(known: Iterable<[string, OnnxTensor]>, readonly around?: Scope) {
    for (const [name, value] of known) this.own.set(name, { value, type: value.type });
  }

  find(name: string): Named | undefined {
    return this.own.get(name) ?? this.around?.find(name);
  }
}

/** What nodes are converted in: the file's name for errors, the model that they are of, and who makes which layer. */
export interface Conversion {
  file: string;
  model: OnnxModel;
  trace: Trace;
  origins: Map<Made, OnnxNode>;
}

/** Converts nodes in their order. @throws UserError that names the file and the operator. */
export function convertNodes(nodes: readonly OnnxNode[], scope: Scope, c: Conversion): void {
  for (const node of nodes) {
    const before = c.trace.layers.length;
    const outputs = convertNode(node, scope, c);
    node.outputs.forEach((name, n) => {
      const made = outputs[n];
      if (name !== "" && made) scope.own.set(name, made);
    });
    for (const made of c.trace.layers.slice(before)) if (!c.origins.has(made)) c.origins.set(made, node);
  }
}

/** @throws UserError for what meant something else before version 7, which is what PyTorch 0.3 and Caffe2 wrote. */
function refuseOld({ type, attributes }: OnnxNode): void {
  const aligned = ["Add", "Sub", "Mul", "Div", "Pow"].includes(type) && attributes.has("axis");
  const trains = type === "BatchNormalization" && attributes.get("is_test") !== 1;
  if (!aligned && !trains && type !== "LSTM") return;
  throw new UserError("its version is older than 7 and means another thing; onnx.version_converter raises it");
}

/** The element type of an operator's results: its first input's, but for those that compare, or say another. */
function resultType(o: Operator): ElementType | undefined {
  const { type } = o.node;
  if (/^(And|Equal|Greater|GreaterOrEqual|Less|LessOrEqual|Not|Or|Xor)$/.test(type)) return "bool";
  if (type === "Cast") return elementType(o.number("to", 1));
  return o.types[type === "Where" || type === "CastLike" ? 1 : 0];
}

/** The operator of a node. @throws UserError where nothing makes one of its inputs. */
function operatorOf(node: OnnxNode, scope: Scope, { model, trace }: Conversion): Operator {
  const inputs = node.inputs.map((name) => {
    const value = scope.find(name);
    if (name !== "" && value === undefined) {
      throw new UserError(`nothing before it makes its input ${JSON.stringify(name.slice(0, 60))}`);
    }
    return value;
  });
  return new Operator(node, model, trace, inputs.map((input) => input?.value), inputs.map((input) => input?.type));
}

/** What a node makes, or the branch that it takes. */
function convertNode(node: OnnxNode, scope: Scope, c: Conversion): (Named | undefined)[] {
  const label = (node.name || node.outputs[0] || "").slice(0, 60);
  const where = `${c.file}: ${node.type.slice(0, 40)} ${JSON.stringify(label)}`;
  let branch: OnnxGraph;
  try {
    const o = operatorOf(node, scope, c);
    if (node.type !== "If" || node.domain !== "") return converted(o);
    branch = branchOf(o);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${where}: ${error.message}`) : error;
  }
  const inner = new Scope(branch.initializers, scope);
  convertNodes(branch.nodes, inner, c);
  return branch.outputs.map(({ name }) => inner.find(name));
}

/** The branch that a choice takes, where that is known. */
function branchOf(o: Operator): OnnxGraph {
  const [chosen] = o.needed(0, "the condition").values;
  const name = chosen ? "then_branch" : "else_branch";
  const branch = o.node.attributes.get(name);
  if (chosen !== undefined && typeof branch === "object" && "nodes" in branch) return branch;
  throw new UserError(`it has no ${name}`);
}

/** What an operator makes: a known value, or what its layers compute. */
function converted(o: Operator): (Named | undefined)[] {
  const { node, trace, inputs } = o;
  const isOwn = node.domain === "";
  if (o.opset < 7) refuseOld(node);
  const known = isOwn ? fold(o) : undefined;
  if (known) {
    if (!inputs.some((input) => input && !isTraced(input) && input.values === known.values)) {
      trace.spend(known.values.length);
    }
    return [{ value: known, type: known.type }];
  }
  if (!isOwn || !Object.hasOwn(rules, node.type)) {
    if (isOwn && isFolded(o)) inputs.forEach((_, n) => o.known(n, `its input ${n + 1}`));
    const domain = isOwn ? "" : ` of ${node.domain.slice(0, 40)}`;
    throw new UserError(`this operator${domain} is not supported; docs/onnx.md lists those that are`);
  }
  const type = resultType(o);
  return rules[node.type](o).map((value) => value && { value, type });
}
