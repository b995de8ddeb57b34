/**
 * A layer given on the command line: its type, the shape of each of its inputs, its parameters.
 *
 *     --op conv2d --shape 64x56x56 --params channels=128,kernel=3,stride=2,padding=1
 */
import { parseJson } from "../../src/formats/json.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { type Layer, makeLayer, type Value } from "../../src/net/graph.ts";
import { checkShape } from "../../src/net/network.ts";
import { show } from "../../src/ops/op.ts";
import { randomWeight } from "../networks/random_weights.ts";

/** Makes the layer. Its name is what was given. @throws UserError in one sentence. */
export function layerOf(type: string, shapes: readonly string[], params = ""): Layer {
  const inputs = shapes.map((text, n): Value => ({ name: `x${n}`, shape: shapeOf(text) }));
  const parameters = paramsOf(params);
  const name = [`${type} ${inputs.map(({ shape }) => show(shape)).join(", ")}`, ...params ? [params] : []].join(" ");
  return madeLayer(name, type, parameters, inputs);
}

/** A layer with random weights. @throws UserError that begins with its name. */
export function madeLayer(
  name: string,
  type: string,
  params: Record<string, unknown>,
  inputs: readonly Value[],
): Layer {
  try {
    return makeLayer(name, type, params, inputs, (part, shape) => randomWeight(name, part, shape));
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${name}: ${error.message}`) : error;
  }
}

/** "64x56x56" or "[64, 56, 56]" as the shape of an item. @throws UserError */
export function shapeOf(text: string): number[] {
  const shape = valueOf(/^\d+$/.test(text) ? `[${text}]` : text);
  if (!Array.isArray(shape)) {
    throw new UserError(`--shape expects an item's dimensions like 64x56x56 or 4096, got "${text}"`);
  }
  return checkShape(shape, `--shape ${text}`);
}

/** A comma that stands in no list. */
const OUTER_COMMA = /,(?![^[]*\])/;

/** "channels=128,kernel=3x1,stride=[1,2],mode=edge" as parameters. @throws UserError */
export function paramsOf(text: string): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const part of text ? text.split(OUTER_COMMA) : []) {
    const [, name, value] = /^\s*(\w+)\s*=(.+)$/s.exec(part) ?? [];
    if (name === undefined) {
      throw new UserError(`--params expects NAME=VALUE,NAME=VALUE,… like channels=128,kernel=3, got "${text}"`);
    }
    if (Object.hasOwn(params, name)) throw new UserError(`--params gives ${name} twice`);
    params[name] = valueOf(value.trim());
  }
  return params;
}

/** A list like 3x3, what JSON says, or a bare word. */
function valueOf(text: string): unknown {
  if (/^\d+(?:[x×]\d+)+$/.test(text)) return text.split(/[x×]/).map(Number);
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
