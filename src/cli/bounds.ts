/**
 * Bounds of a generator's code: what `ranges` writes, and the text files of the paper's program.
 *
 *     .safetensors   code.mean and code.std, one value for each of the code's; the bound is mean + sigmas · std, and of a
 *                    code with a sign the lower one mean − sigmas · std
 *     text           the upper bounds themselves (act_range/3x/fc6.txt), and after all of them the lower ones if there are any,
 *                    between spaces or line ends
 */
import { kindOf, refuseOthers } from "../formats/kinds.ts";
import { readSafetensors, type StoredTensor, toFloat32 } from "../formats/safetensors.ts";
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import type { Model, Settings } from "../mod.ts";

/** Standard deviations above the mean, where a generator does not say. */
export const defaultSigmas = 3;

/**
 * The upper bound of each value of the generator's code, and after them the lower ones, where there are any but `lowest`.
 * @throws UserError where the file does not fit the code.
 */
export function readBounds(
  bytes: Uint8Array,
  file: string,
  { name, network }: Model,
  { lowest, sigmas: asked }: Pick<Settings, "lowest" | "sigmas">,
): Float32Array<ArrayBuffer> {
  const size = valueCount(network.inputs[0].shape);
  const isText = kindOf(bytes)?.name !== "safetensors";
  if (isText && asked > 0) {
    throw new UserError(
      `${file} is no file of means and deviations, which --sigmas is about; expected what ranges writes`,
    );
  }
  const sigmas = asked || (network.code?.sigmas ?? defaultSigmas);
  const bounds = isText
    ? fromText(bytes, file)
    : fromStatistics(readSafetensors(bytes, file), file, network.code?.signed ? [sigmas, -sigmas] : [sigmas]);
  if (bounds.length !== size && bounds.length !== 2 * size) {
    throw new UserError(`${file} has ${bounds.length} bounds, the code of ${name} ${size} values`);
  }
  const least = (n: number) => n >= size ? -Infinity : bounds.length > size ? bounds[size + n] : lowest;
  const wrong = bounds.findIndex((bound, n) => !(Number.isFinite(bound) && bound >= least(n)));
  if (wrong >= 0) {
    const expected = Number.isFinite(least(wrong)) ? ` of at least ${least(wrong)}` : "";
    throw new UserError(`${file}: bound ${wrong + 1} is ${bounds[wrong]}, expected a finite number${expected}`);
  }
  return bounds;
}

/** mean + sigmas · std of each value, for each of these sigmas. */
function fromStatistics(
  tensors: Map<string, StoredTensor>,
  file: string,
  sigmas: readonly number[],
): Float32Array<ArrayBuffer> {
  const [mean, std] = ["code.mean", "code.std"].map((name) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new UserError(`${file} has no "${name}"; expected what \`deno task ranges\` writes`);
    return toFloat32(tensor, `${file}: "${name}"`);
  });
  if (mean.length !== std.length) throw new UserError(`${file} has ${mean.length} means and ${std.length} deviations`);
  return Float32Array.from(sigmas.flatMap((factor) => Array.from(mean, (value, j) => value + factor * std[j])));
}

/** Bytes of a text of bounds: what a million numbers take, and more. */
const mostText = 2 ** 25;

function fromText(bytes: Uint8Array, file: string): Float32Array<ArrayBuffer> {
  if (bytes.length > mostText) throw new UserError(`${file} has ${bytes.length} bytes, expected at most ${mostText}`);
  refuseOthers(bytes, file, "upper bounds as text, or what ranges writes");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${file} is neither text nor .safetensors; expected upper bounds, or what ranges writes`);
  }
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const odd = words.find((word) => Number.isNaN(Number(word)));
  if (odd !== undefined) throw new UserError(`${file} holds "${odd.slice(0, 40)}", expected numbers only`);
  return Float32Array.from(words, Number);
}
