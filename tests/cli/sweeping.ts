/** What the tests of sweeps share. */
import { join } from "node:path";
import { type Line, readResults } from "../../src/cli/sweep/results.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { temporaryFolder } from "./user.ts";

/** A folder with tiny models. */
export function tinyFolder() {
  const folder = temporaryFolder();
  return { ...folder, ...writeTinyModels(folder.path), at: (name: string) => join(folder.path, name) };
}

/** The bytes of all pictures, and the lines without what may differ between folders. */
export function madeIn(...folders: string[]): [Map<number, Uint8Array>, Line[]] {
  const { lines, folders: where } = readResults(folders);
  const bytes = lines.map(({ picture, file }) =>
    [picture, Deno.readFileSync(join(where.get(picture)!, file))] as const
  );
  return [new Map(bytes), lines];
}
