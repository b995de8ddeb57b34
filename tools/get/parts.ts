/** A download's files on the disk: its part, the tag of that, and what came of it. */
import { createHash } from "node:crypto";
import { reasonOf } from "../../src/cli/files.ts";
import { UserError } from "../../src/formats/user_error.ts";

/** Where the tag of a part is. */
export const tagOf = (part: string) => `${part}.tag`;

/** The tag of a part of the file; undefined where it is of another address, or nobody knows. */
export function readTag(url: string, part: string): string | undefined {
  const [address, tag] = readText(tagOf(part))?.split("\n") ?? [];
  return address === url && tag ? tag : undefined;
}

/** A text file; undefined where it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

/** Bytes of a file; 0 where it is not there. */
export function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

/** Takes a part and its tag away, where they are. */
export function discard(part: string): void {
  for (const path of [part, tagOf(part)]) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        throw new UserError(`${path} cannot be removed: ${reasonOf(error)}`);
      }
    }
  }
}

/** Has the disk hold a file. */
export function flush(path: string): void {
  using file = Deno.openSync(path, { write: true });
  file.syncSync();
}

/** Does something to a file. @throws UserError where the disk does not do it. */
export function onDisk<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${reasonOf(error)}`);
  }
}

/** The SHA-1 of a file, in hexadecimal. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha1");
  for await (const piece of (await Deno.open(path)).readable) hash.update(piece);
  return hash.digest("hex");
}
