/** The search that is measured: a pair of models, the unit, and a code for each picture. */
import { openClassifier, openGenerator } from "../../src/cli/defaults.ts";
import { count } from "../../src/ops/op.ts";
import type { ClimbSettings } from "../../src/synth/climb.ts";
import { join, type Joined } from "../../src/synth/joined.ts";
import { searchDefaults } from "../../src/synth/options.ts";
import { normals } from "../../src/synth/random.ts";

/** The unit that is searched, where the classifier has so many. */
const UNIT = 945;

/** Model folders; the embedded pair's where none is named. */
export interface Folders {
  generator?: string;
  classifier?: string;
}

/** A search of some pictures at once. */
export interface SearchSubject {
  generator: string;
  classifier: string;
  joined: Joined;
  batch: number;
  settings: ClimbSettings;
}

/** Opens the models and decides the numbers: the defaults, without bounds. @throws UserError */
export async function openSubject(folders: Folders, batch: number): Promise<SearchSubject> {
  const generator = await openGenerator(folders.generator), classifier = await openClassifier(folders.classifier);
  const joined = join(generator, classifier);
  const target = [Math.min(UNIT, joined.layer.shape[0] - 1), 0, 0] as const;
  const settings = {
    ...searchDefaults(),
    codes: normals(0, batch * count(joined.code.shape)),
    targets: Array.from({ length: batch }, () => [target]),
  };
  return { generator: generator.name, classifier: classifier.name, joined, batch, settings };
}
