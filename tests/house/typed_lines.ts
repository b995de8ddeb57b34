/**
 * The command lines that a test file types, read out of its source: every call of `type` (tests/cli/user.ts), directly or
 * through the file's own functions.
 *
 * The words of a line are what its arguments are in the text: strings, lists of them, variables and properties that stand
 * for such lists, and what a function is called with where it hands that on. What is computed only at run time (a table's
 * cases, say) counts for nothing, nor does a comment. Names are looked up as JavaScript does, from the inside out.
 */

/** A node of the syntax tree; which fields there are depends on its type. */
// deno-lint-ignore no-explicit-any
type Node = any;

/** What a function's parameters stand for in one call, by the parameter's place in the file. */
type Bindings = ReadonlyMap<string, { arguments: readonly Node[]; given: Bindings }>;

/** Names that stand for names, and functions that call functions: deeper than in any test. */
const deepest = 24;

/** The lines typed by a source text, each with the words that are known; "" stands for one that is not. */
export function typedLines(source: string, file = "test.ts"): string[][] {
  const calls: Node[] = [];
  const lines: string[][] = [];
  let typing = "";
  const create = () => ({
    ImportSpecifier(node: Node) {
      const from: string = node.parent.source.value;
      if (from.endsWith("/user.ts") && node.imported.name === "type") typing = node.local.name;
    },
    CallExpression: (node: Node) => void calls.push(node),
    "Program:exit"() {
      for (const call of calls.filter((each) => !isIgnored(each))) {
        lines.push(...linesOf(call, new Map(), { calls, typing }, 0));
      }
    },
  });
  Deno.lint.runPlugin({ name: "typed", rules: { lines: { create } } } as Deno.lint.Plugin, file, source);
  return lines;
}

/** Whether a call stands in a test that does not run. */
function isIgnored(call: Node): boolean {
  for (let place = call.parent; place; place = place.parent) {
    if (place.type === "CallExpression" && place.callee.property?.name === "ignore") return true;
  }
  return false;
}

/** All calls of a file, and its name for `type`. */
interface File {
  calls: readonly Node[];
  typing: string;
}

/** The lines that one call types. */
function linesOf(call: Node, given: Bindings, file: File, depth: number): string[][] {
  const { callee, arguments: values } = call;
  if (callee.type === "Identifier" && callee.name === file.typing && !declaration(callee, callee.name)) {
    return values.length === 0 ? [] : [wordsOf(values[0], given)];
  }
  const called = depth < deepest ? meaning(callee) : undefined;
  if (!called || !isFunction(called)) return [];
  const [first, last] = called.body.range;
  const inner = bind(called, values, given);
  return file.calls.filter(({ range }) => range[0] >= first && range[1] <= last)
    .flatMap((each) => linesOf(each, inner, file, depth + 1));
}

const isFunction = ({ type }: Node) => /^(ArrowFunctionExpression|FunctionExpression|FunctionDeclaration)$/.test(type);

/** What a function's parameters stand for when it is called with these values. */
function bind({ params }: Node, values: readonly Node[], given: Bindings): Bindings {
  const bindings = new Map(given);
  params.forEach((parameter: Node, place: number) => {
    const rest = parameter.type === "RestElement";
    bindings.set(placeOf(parameter), { arguments: rest ? values.slice(place) : values.slice(place, place + 1), given });
  });
  return bindings;
}

const placeOf = ({ range }: Node) => String(range);

/** The words that an expression stands for. */
function wordsOf(node: Node, given: Bindings, depth = 0): string[] {
  if (depth > deepest) return [];
  const deeper = (inner: Node, bindings = given) => wordsOf(inner, bindings, depth + 1);
  switch (node.type) {
    case "Literal":
      return typeof node.value === "string" ? [node.value] : [];
    case "TemplateLiteral":
      return [node.quasis[0].cooked];
    case "ArrayExpression":
      return node.elements.flatMap((element: Node) => {
        const words = deeper(element);
        return words.length === 0 && element.type !== "SpreadElement" ? [""] : words;
      });
    case "SpreadElement":
    case "AwaitExpression":
      return deeper(node.argument);
    case "TSAsExpression":
      return deeper(node.expression);
    case "ConditionalExpression":
      return [...deeper(node.consequent), ...deeper(node.alternate)];
    case "CallExpression": {
      const called = meaning(node.callee);
      if (called && isFunction(called)) {
        const result = resultOf(called);
        return result ? deeper(result, bind(called, node.arguments, given)) : [];
      }
      // A part of a list has none but its words.
      return node.callee.property?.name === "slice" ? deeper(node.callee.object) : [];
    }
    default: {
      const parameter = node.type === "Identifier" ? declaration(node, node.name) : undefined;
      const bound = parameter && given.get(placeOf(parameter));
      if (bound) return bound.arguments.flatMap((value: Node) => deeper(value, bound.given));
      const meant = meaning(node);
      return meant && meant !== node ? deeper(meant) : [];
    }
  }
}

/** The expression or function that a name, a property or a call stands for; undefined where that takes running it. */
function meaning(node: Node, depth = 0): Node | undefined {
  if (!node || depth > deepest) return undefined;
  const deeper = (inner: Node) => meaning(inner, depth + 1);
  switch (node.type) {
    case "Identifier": {
      const found = declaration(node, node.name);
      if (found?.type !== "VariableDeclarator") return found && isFunction(found) ? found : undefined;
      return found.id.type === "Identifier" ? deeper(found.init) : property(deeper(found.init), node.name, depth);
    }
    case "MemberExpression":
      return node.computed ? undefined : property(deeper(node.object), node.property.name, depth);
    case "AwaitExpression":
      return deeper(node.argument);
    case "CallExpression": {
      const called = deeper(node.callee);
      return called && isFunction(called) ? deeper(resultOf(called)) : undefined;
    }
    default:
      return /Expression|Literal/.test(node.type) ? node : undefined;
  }
}

/** What an object literal has under a name. */
function property(object: Node | undefined, name: string, depth: number): Node | undefined {
  if (object?.type !== "ObjectExpression") return undefined;
  const found = object.properties.find((each: Node) => each.type === "Property" && each.key.name === name);
  if (!found) return undefined;
  return isFunction(found.value) ? found.value : meaning(found.value, depth + 1);
}

/** What a function gives back, at its end. */
function resultOf({ body }: Node): Node | undefined {
  if (body.type !== "BlockStatement") return body;
  return body.body.find(({ type }: Node) => type === "ReturnStatement")?.argument;
}

/** Where a name that is used at a node is declared: a variable's declarator, a function, or a parameter. */
function declaration(node: Node, name: string): Node | undefined {
  for (let place = node.parent; place; place = place.parent) {
    if (place.type === "BlockStatement" || place.type === "Program") {
      for (const statement of place.body) {
        const declared = statement.declaration ?? statement;
        if (declared.type === "FunctionDeclaration" && declared.id?.name === name) return declared;
        if (declared.type !== "VariableDeclaration") continue;
        const found = declared.declarations.find(({ id }: Node) => names(id).includes(name));
        if (found) return found;
      }
    } else if (isFunction(place)) {
      const found = place.params.find((parameter: Node) => names(parameter).includes(name));
      if (found) return found;
    } else if (/^For(Of|In)?Statement$/.test(place.type)) {
      const [declarator] = (place.left ?? place.init)?.declarations ?? [];
      if (declarator && names(declarator.id).includes(name)) return { type: "LoopVariable", range: declarator.range };
    }
  }
  return undefined;
}

/** The names that a pattern declares. */
function names(pattern: Node): string[] {
  switch (pattern?.type) {
    case "Identifier":
      return [pattern.name];
    case "AssignmentPattern":
      return names(pattern.left);
    case "RestElement":
      return names(pattern.argument);
    case "ArrayPattern":
      return pattern.elements.flatMap(names);
    case "ObjectPattern":
      return pattern.properties.flatMap((each: Node) => names(each.value ?? each));
    default:
      return [];
  }
}
