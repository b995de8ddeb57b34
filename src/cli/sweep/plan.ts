/**
 * The plan of a sweep: every picture, by number, and which of them are made together. It follows from the options and the models
 * alone, so that whoever has the same plan makes the same pictures, whichever of its pieces fall to him.
 */
import { UserError } from "../../formats/user_error.ts";
import type { Model, Settings } from "../../mod.ts";
import { version } from "../defaults.ts";
import { type Models, type Request, type Row, settleRequest } from "../../record/request.ts";
import { readCodeBounds } from "../synth/start.ts";

/** Pictures that are made together: a request of synth's for one row. */
export interface Piece {
  request: Request;
  row: Row;
  /** The code's bounds, where they are not the generator's own. */
  bounds: ReturnType<typeof readCodeBounds>;
  /** The number of the first of its pictures. */
  first: number;
}

/** A piece's pictures in words. */
export function picturesOf({ first, row: { items } }: Piece): string {
  return items.length === 1 ? `picture ${first}` : `pictures ${first} to ${first + items.length - 1}`;
}

/** A whole sweep. */
export interface Plan {
  /** Two plans with the same hash make the same pictures. */
  hash: string;
  /** What it was asked for, by what that is called: what may differ where two hashes do. */
  asked: Readonly<Record<string, string>>;
  pieces: readonly Piece[];
  /** All pictures. */
  pictures: number;
}

/** Pictures of a plan, more than anyone looks at. */
const mostPictures = 100_000;

/** What a plan is made with, beside what it is to make. */
export interface Planning {
  models: Models;
  judge?: Model;
  together: number;
  typed: Readonly<Record<string, string>>;
}

/**
 * Makes a plan.
 * @param base What is made with each of the settings.
 * @param together Pictures in a piece.
 * @param typed The options that say all that, as they were typed.
 * @throws UserError where the models lack what is asked for.
 */
export async function planOf(
  base: Request,
  all: readonly Partial<Settings>[],
  { models, judge, together, typed }: Planning,
): Promise<Plan> {
  const pictures = all.length * base.rows.reduce((sum, { items }) => sum + items.length, 0);
  const pieces: Piece[] = [];
  if (pictures > mostPictures) {
    throw new UserError(`the sweep has ${pictures} pictures, expected at most ${mostPictures}`);
  }
  let first = 0;
  for (const said of all) {
    for (const { items, ...what } of base.rows) {
      for (let from = 0; from < items.length; from += together) {
        const request = {
          ...base,
          said: { ...base.said, ...said },
          rows: [{ ...what, items: items.slice(from, from + together) }],
        };
        const { rows: [row] } = settleRequest(request, models);
        pieces.push({ request, row, bounds: readCodeBounds(request, row), first });
        first += row.items.length;
      }
    }
  }
  const { weights, arithmetic } = base;
  const bounds = base.bounds && await hashOf(base.bounds.bytes);
  const what = JSON.stringify({
    ...{ version, weights, arithmetic, bounds },
    models: [models.classifier, models.generator, judge].map((model) => model?.hash),
    pieces: pieces.map(({ row: { settings, items } }) => [settings, items]),
  });
  const asked = {
    ...typed,
    "the version": version,
    ...bounds && { "the file of --bounds": shortHash(bounds) },
    ...Object.fromEntries(
      Object.entries({ ...models, judge }).flatMap(([role, model]) =>
        model ? [[`the ${role}`, `${model.name} (${shortHash(model.hash)})`]] : []
      ),
    ),
  };
  return { hash: await hashOf(new TextEncoder().encode(what)), asked, pieces, pictures };
}

/** A hash as it is told. */
export const shortHash = (hash: string): string => `${hash.slice(0, 12)}…`;

/** SHA-256. */
export const hashOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

/** What a run makes of a plan. */
export interface Share {
  pieces: readonly Piece[];
  /** The file of its results: its own, wherever others have theirs. */
  name: string;
}

/**
 * The share of a run: of "2/4" every fourth piece from the second, of a queue perhaps any.
 * @throws UserError for a share that is none.
 */
export function shareOf(pieces: readonly Piece[], { shard, queue }: { shard?: string; queue?: string }): Share {
  if (queue !== undefined) {
    if (shard !== undefined) throw new UserError("--shard and --queue both say who makes what; give one of them");
    return { pieces, name: `results-${crypto.randomUUID().slice(0, 8)}.jsonl` };
  }
  if (shard === undefined) return { pieces, name: "results.jsonl" };
  const [, part, parts] = /^(\d+)\/(\d+)$/.exec(shard) ?? [];
  const [k, n] = [Number(part), Number(parts)];
  if (!(k >= 1 && k <= n && n <= mostPictures)) {
    throw new UserError(`--shard expects K/N with K from 1 to N, such as 2/4, got "${shard}"`);
  }
  return { pieces: pieces.filter((_, place) => place % n === k - 1), name: `results-${k}-of-${n}.jsonl` };
}
