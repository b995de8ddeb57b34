/** The search that is measured: a pair of models, the unit, and a code for each picture. */
import { openClassifier, openGenerator } from "../../src/cli/defaults.ts";
import { count } from "../../src/ops/op.ts";
import type { ClimbSettings } from "../../src/synth/climb.ts";
import { join, type Joined } from "../../src/synth/joined.ts";
import { settleObjective } from "../../src/synth/objective.ts";
import { searchDefaults } from "../../src/synth/options.ts";
import { normals } from "../../src/synth/random.ts";
import { unitsTarget } from "../../src/synth/target.ts";

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
  /** The unit's number among the values of its layer, the classifier's logits. */
  unit: number;
  batch: number;
  settings: ClimbSettings;
}

/** Opens the models and decides the numbers: the defaults, without bounds. @throws UserError */
export async function openSubject(folders: Folders, batch: number): Promise<SearchSubject> {
  const generator = await openGenerator(folders.generator), classifier = await openClassifier(folders.classifier);
  const joined = join(generator, classifier), unit = Math.min(UNIT, joined.logits.shape[0] - 1);
  const settings = {
    ...searchDefaults(),
    codes: normals(0, batch * count(joined.code.shape)),
    objective: settleObjective(joined, Array.from({ length: batch }, () => unitsTarget({ units: [unit] }))),
  };
  return { generator: generator.name, classifier: classifier.name, joined, unit, batch, settings };
}
