/** The folders of several classifiers, such as a network's snapshots while it learned. */
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../../formats/user_error.ts";
import { isFolder, statOf } from "../files.ts";

/** The order in which people count: 2 before 10. */
const { compare } = new Intl.Collator("en", { numeric: true });

/**
 * The folders that --classifier and what follows it name, in their natural order: as many as the shell has made of a pattern, or
 * those that a quoted one fits. @throws UserError where a pattern fits none, or one is named twice.
 */
export function classifierFolders(first: string | undefined, others: readonly string[]): string[] {
  if (first === undefined) {
    if (others.length > 0) throw new UserError(`"${others[0]}" belongs to no option; --help lists the options`);
    return [];
  }
  const folders = [first, ...others].flatMap((name) => /[*?]/.test(name) && !statOf(name) ? fitting(name) : [name]);
  const places = folders.map((folder) => resolve(folder));
  const twice = folders.find((_, n) => places.indexOf(places[n]) < n);
  if (twice !== undefined) throw new UserError(`--classifier gives ${twice} twice`);
  return folders.toSorted(compare);
}

/** The folders that a pattern with * and ? fits. */
function fitting(pattern: string): string[] {
  const parent = dirname(pattern);
  const parents = /[*?]/.test(parent) ? fitting(parent) : [parent];
  const escaped = basename(pattern).replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  const fits = new RegExp(`^${escaped}$`, "u");
  const found = parents.filter(isFolder).flatMap((folder) =>
    [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => fits.test(name) && !name.startsWith("."))
      .map((name) => join(folder, name)).filter(isFolder)
  );
  if (found.length === 0) throw new UserError(`no folder fits ${pattern}`);
  return found;
}
