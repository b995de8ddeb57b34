/** The models of the search that is measured, from their folders. */
import { openClassifier, openGenerator } from "../../src/cli/defaults.ts";
import { type SearchSubject, subjectOf } from "./search.ts";

/** Model folders; the embedded pair's where none is named. */
export interface Folders {
  generator?: string;
  classifier?: string;
}

/** Opens the models. @throws UserError */
export const openPair = async (folders: Folders) => ({
  generator: await openGenerator(folders.generator),
  classifier: await openClassifier(folders.classifier),
});

/** Opens the models and decides the numbers. @throws UserError */
export const openSubject = async (folders: Folders, batch: number): Promise<SearchSubject> =>
  subjectOf(await openPair(folders), batch);
