/**
 * The index of `deno task examples`: which pictures excite each unit of a layer most, of those that have been seen. One file, so
 * that whatever ends a run leaves it whole:
 *
 *     about                      U8, JSON: what it is, the model, the layer
 *     seen                       U8, the pictures' identities, a zero between them
 *     scores, pictures, places   [units, kept]: activations (F64), places among the seen (I32), positions in the unit's map (I32)
 */
import { parseJson } from "../formats/json.ts";
import { readSafetensors, type StoredTensor, writeSafetensors } from "../formats/safetensors.ts";
import { UserError } from "../formats/user_error.ts";
import type { Model, UnitLayer } from "../mod.ts";
import { Best } from "./best.ts";

/** How the index says that it is one. */
const kind = "phosphene examples 1";

/** What an index is of. */
export interface Indexed {
  model: Pick<Model, "name" | "hash">;
  layer: Pick<UnitLayer, "name" | "channels">;
  /** Pictures that are kept of each unit. */
  keep: number;
}

/** The pictures that have been seen, in order, and the best of them, by their places there. */
export interface Seen {
  identities: string[];
  best: Best;
}

/** The bytes of an index. */
export function writeIndex({ model: { name, hash }, layer }: Indexed, { identities, best }: Seen): Uint8Array {
  const bytes = (array: ArrayBufferView<ArrayBuffer>) =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const text = (text: string): StoredTensor => {
    const bytes = new TextEncoder().encode(text);
    return { dtype: "U8", shape: [bytes.length], bytes };
  };
  const shape = [best.rows, best.keep];
  return writeSafetensors(
    new Map<string, StoredTensor>([
      ["about", text(JSON.stringify({ kind, model: { name, hash }, layer: layer.name }))],
      ["seen", text(identities.join("\0"))],
      ["scores", { dtype: "F64", shape, bytes: bytes(best.scores) }],
      ["pictures", { dtype: "I32", shape, bytes: bytes(best.pictures) }],
      ["places", { dtype: "I32", shape, bytes: bytes(best.places) }],
    ]),
  );
}

/** Reads an index; `name` stands for it in errors. @throws UserError where it is none, or one of something else. */
export function readIndex(bytes: Uint8Array, name: string, wanted: Indexed): Seen {
  const none = new UserError(`${name} is no index of examples; --index names another folder`);
  const tensors = readSafetensors(bytes, name);
  const text = (key: string) => new TextDecoder().decode(tensors.get(key)?.bytes);
  checkAbout(text("about"), name, wanted, none);
  const shape = tensors.get("scores")?.shape ?? [];
  const [rows, keep = 0] = shape;
  const own = ["scores", "pictures", "places"].map((key) => tensors.get(key));
  const isWhole = own.every((tensor, n) =>
    tensor?.dtype === (n ? "I32" : "F64") && tensor.shape.join() === shape.join()
  );
  if (!isWhole || rows !== wanted.layer.channels) throw none;
  if (keep < wanted.keep) {
    throw new UserError(
      `${name} keeps the best ${keep} pictures of each unit, not ${wanted.keep}; --index names another folder`,
    );
  }
  const identities = text("seen").split("\0").filter((identity) => identity !== "");
  const best = new Best(rows, keep);
  [best.scores, best.pictures, best.places].forEach((array, n) => new Uint8Array(array.buffer).set(own[n]!.bytes));
  const { length } = identities;
  for (let row = 0; row < rows; row++) {
    const found = best.row(row);
    const isSound = found.every(({ picture }) => picture >= 0 && picture < length);
    if (!isSound || found.length !== Math.min(keep, length)) throw none;
  }
  return { identities, best };
}

function checkAbout(text: string, name: string, { model, layer }: Indexed, none: UserError): void {
  let about: { kind?: unknown; model?: { name?: unknown; hash?: unknown }; layer?: unknown };
  try {
    about = parseJson(text) as typeof about;
  } catch {
    throw none;
  }
  if (about?.kind !== kind) throw none;
  if (about.model?.hash !== model.hash) {
    throw new UserError(
      `${name} is of another model (${about.model?.name}, ${
        String(about.model?.hash).slice(0, 12)
      }…) than ${model.name} ` +
        `(${model.hash.slice(0, 12)}…); --index names another folder`,
    );
  }
  if (about.layer !== layer.name) {
    throw new UserError(`${name} is of layer ${about.layer}, not ${layer.name}; --index names another folder`);
  }
}
