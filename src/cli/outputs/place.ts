/**
 * Files in their places: whole, on the disk, and never in place of something that nobody offered.
 *
 * A file is written beside its place and flushed. A hard link then gives it its name, which fails where there is anything of
 * that name, be it a symbolic link that leads nowhere; only what `force` offers, an ordinary file, is replaced by renaming.
 */
import { dirname } from "node:path";
import { UserError } from "../../formats/user_error.ts";
import { reasonOf } from "../files.ts";
import { warn } from "../print.ts";
import { lstatOf, Temporary } from "./temporary.ts";

/** Free names that are tried for what cannot be put back. */
const mostTried = 100;

/** There is something in a place that may not be replaced. */
export class Taken extends UserError {
  override name = "Taken";
  /** @param place As the user names it. */
  constructor(readonly place: string, problem: string) {
    super(`${place} ${problem}`);
  }
}

/**
 * Writes files, all of them or none; their folders are made where they are missing.
 * @param files By the user's names. @param where The places that these names stand for.
 * @throws Taken where something is there that may not be replaced, another UserError where one cannot be written.
 */
export function writeFiles(
  files: ReadonlyMap<string, Uint8Array>,
  { force, where = (name) => name }: { force: boolean; where?: (name: string) => string },
): void {
  using folders = new DisposableStack();
  using drafts = new DisposableStack();
  using undone = new DisposableStack();
  const staged: { name: string; path: string; draft: Temporary }[] = [];
  for (const [name, bytes] of files) {
    attempt(name, () => {
      const path = where(name);
      checkPlace(path, { force, name });
      for (const folder of makeFolders(dirname(path))) folders.defer(() => tryRemove(folder));
      const draft = drafts.use(Temporary.in(dirname(path)));
      draft.write(bytes);
      draft.flush();
      staged.push({ name, path, draft });
    });
  }
  const alone = staged.length === 1;
  for (const { name, path, draft } of staged) {
    attempt(name, () => undone.defer(place(draft, path, { force, name, alone })));
  }
  undone.move(); // nothing is to be undone any more, and the folders are not empty
  for (const { draft } of staged) tryRemove(draft.old);
}

/**
 * Gives a draft the name of its place, in the same folder. Returns how that is undone.
 * @param alone Nobody will ask for that, so what is replaced is not kept meanwhile.
 */
export function place(draft: Temporary, path: string, how: Replacing & { alone: boolean }): () => void {
  const found = checkPlace(path, how);
  if (!found) {
    linkOrRename(draft, path);
    return () => tryRemove(path);
  }
  if (how.alone) {
    Deno.renameSync(draft.path, path);
    return () => {};
  }
  try {
    Deno.linkSync(path, draft.old);
  } catch {
    Deno.copyFileSync(path, draft.old); // a file system without hard links, or somebody else's file
  }
  try {
    Deno.renameSync(draft.path, path);
  } catch (error) {
    tryRemove(draft.old); // the first is where it was
    throw error;
  }
  return () => putBack(draft.old, path);
}

/** Moves back what was moved aside or, where its place is taken, to a free name beside that, which is told then. */
export function putBack(old: string, path: string): void {
  let n = 1;
  for (let place = path;; place = `${path}-old${n++}`) {
    try {
      if (place !== path && lstatOf(place)) continue;
      Deno.renameSync(old, place);
      if (place !== path) warn(`what was ${path} could not be put back; it is ${place}`);
      return;
    } catch {
      if (n > mostTried) return warn(`what was ${path} could not be put back; it is ${old}`);
    }
  }
}

/** Fails where there is anything of that name. */
function linkOrRename({ path: draft }: Temporary, path: string): void {
  try {
    Deno.linkSync(draft, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    // A file system without hard links: an empty file takes the name first, which fails in the same way.
    Deno.openSync(path, { write: true, createNew: true }).close();
    try {
      Deno.renameSync(draft, path);
    } catch (error) {
      tryRemove(path);
      throw error;
    }
  }
}

/** What may be replaced: an ordinary file with `force`, nothing without it. */
interface Replacing {
  force: boolean;
  /** The place as the user names it. */
  name: string;
}

/** Looks what a file would replace. @throws Taken where that may not be. */
export function checkPlace(path: string, { force, name }: Replacing): Deno.FileInfo | undefined {
  const found = lstatOf(path);
  if (!found) return undefined;
  if (found.isSymlink) {
    throw new Taken(name, "is a symbolic link, which is neither followed nor replaced; name what it leads to");
  }
  if (found.isDirectory) throw new Taken(name, "is a folder; a file's name is expected");
  if (!found.isFile) throw new Taken(name, "is a device or pipe, not an ordinary file");
  if (!force) throw new Taken(name, "exists; --force overwrites it");
  return found;
}

/** Makes a folder and those above it where they are missing. Returns what was made, from the outside in. */
export function makeFolders(folder: string): string[] {
  const missing: string[] = [];
  for (let at = folder; !existsAt(at); at = dirname(at)) missing.unshift(at);
  for (const [n, each] of missing.entries()) {
    try {
      Deno.mkdirSync(each);
    } catch (error) {
      const exists = error instanceof Deno.errors.AlreadyExists;
      if (exists && existsAt(each)) continue; // another run was faster
      for (const made of missing.slice(0, n).reverse()) tryRemove(made);
      if (exists && lstatOf(each)?.isSymlink) throw new Taken(each, "is a symbolic link that leads nowhere");
      throw error;
    }
  }
  return missing;
}

/** Whether a folder is there, or anything else, which then says itself that it is none. Symbolic links are followed. */
function existsAt(folder: string): boolean {
  try {
    Deno.statSync(folder);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && dirname(folder) !== folder) return false;
    throw error;
  }
}

/** Has the disk hold a folder's names, where the system does that. */
export function flushFolder(folder: string): void {
  try {
    using open = Deno.openSync(folder);
    open.syncSync();
  } catch {
    // Windows opens no folders.
  }
}

/** Removes a file, or a folder that is empty; without a word where that cannot be. */
export function tryRemove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is gone, or holds something of somebody else by now.
  }
}

/** Runs a step on the way to a place. @throws UserError in one sentence. */
function attempt(name: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Deno.errors.AlreadyExists) throw new Taken(name, "exists; --force overwrites it");
    throw new UserError(`${name} cannot be written: ${reasonOf(error)}`);
  }
}
