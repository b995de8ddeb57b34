/** The arrays that `deno task infer` feeds to a network's inputs. */
import { asFloat32, readNpy } from "../formats/npy.ts";
import { UserError } from "../formats/user_error.ts";
import { readBytes, statOf } from "./files.ts";

/** What a network is fed: rows of items for each input. */
export interface Feed {
  rows: number;
  /** Whether the files have the batch dimension; without it, what comes out has none either. */
  batched: boolean;
  /** The values of each input by name, all rows. */
  arrays: Map<string, Float32Array>;
}

interface Input {
  name: string;
  shape: readonly number[];
}

/** An option's `NAME=FILE`, where the network has an input of that name, else `FILE`. */
export function addressed(value: string, inputs: readonly Input[]): { name?: string; file: string } {
  const own =
    inputs.filter(({ name }) => value.startsWith(`${name}=`)).sort((a, b) => b.name.length - a.name.length)[0];
  return own ? { name: own.name, file: value.slice(own.name.length + 1) } : { file: value };
}

/** Which file is for which input: files without a name are for the inputs that no other names, in order. */
function assigned(
  values: readonly string[],
  inputs: readonly Input[],
  folder: string,
): { input: Input; file: string }[] {
  const given = values.map((value) => addressed(value, inputs));
  const names = inputs.map(({ name }) => name).join(", ");
  const left = inputs.filter(({ name }) => given.every((one) => one.name !== name));
  const result = given.map(({ name, file }) => {
    const input = name === undefined ? left.shift() : inputs.find((one) => one.name === name);
    const stray = name === undefined && !statOf(file) && /^([^/\\]+?)=/.exec(file)?.[1];
    if (stray) throw new UserError(`--input ${file}: there is no input "${stray}"; ${folder} has ${names}`);
    if (!input) throw new UserError(`${file}: ${folder} takes ${inputs.length} inputs and no more: ${names}`);
    return { input, file };
  });
  const twice = result.find(({ input }, n) => result.findIndex((other) => other.input === input) < n);
  if (twice) throw new UserError(`--input gives ${twice.input.name} twice`);
  if (left.length > 0) {
    throw new UserError(`--input ${left[0].name}=X.npy is missing; ${folder} takes ${inputs.length} inputs: ${names}`);
  }
  return result;
}

/** Reads the files. @throws UserError in one sentence, where one does not fit its input or the others. */
export async function readInputs(values: readonly string[], inputs: readonly Input[], folder: string): Promise<Feed> {
  const arrays = new Map<string, Float32Array>();
  let first: { rows: number; batched: boolean; file: string } | undefined;
  for (const { input, file } of assigned(values, inputs, folder)) {
    const { shape, dtype, data } = readNpy(await readBytes(file), file);
    const batched = shape.length !== input.shape.length;
    const rows = batched ? shape[0] : 1;
    const item = batched ? shape.slice(1) : shape;
    if (item.join() !== input.shape.join() || item.length !== input.shape.length || !(rows > 0)) {
      const wanted = ["N", ...input.shape].join(", ");
      throw new UserError(`${file} has shape [${shape.join(", ")}], the model takes [${wanted}]`);
    }
    first ??= { rows, batched, file };
    if (rows !== first.rows || batched !== first.batched) {
      const say = (one: { rows: number; batched: boolean }) => one.batched ? `${one.rows} rows` : "no batch dimension";
      throw new UserError(`${file} has ${say({ rows, batched })}, ${first.file} ${say(first)}`);
    }
    const numbers = asFloat32(data);
    const lost = numbers.findIndex((value, at) =>
      Math.abs(value) >= 2 ** 24 && !dtype.startsWith("f") && BigInt(value) !== BigInt(data[at])
    );
    if (lost >= 0) {
      throw new UserError(
        `${file} holds ${data[lost]}, which float32, what networks compute with, rounds to ${numbers[lost]}`,
      );
    }
    if (!numbers.every(Number.isFinite)) {
      throw new UserError(`${file} holds NaN, infinity or what float32 cannot hold; GPUs give no sure answer to these`);
    }
    arrays.set(input.name, numbers);
  }
  return { rows: first!.rows, batched: first!.batched, arrays };
}
