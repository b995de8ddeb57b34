/** An iteration of the search that benchmarks measure, as a plan that stands. */
import type { Device } from "../../src/gpu/device.ts";
import type { Model } from "../../src/net/model.ts";
import { count } from "../../src/ops/op.ts";
import { Climb, type ClimbOptions } from "../../src/synth/climb.ts";
import type { ClimbSettings } from "../../src/synth/climb_data.ts";
import { join, type Joined } from "../../src/synth/joined.ts";
import { settleObjective } from "../../src/synth/objective.ts";
import { searchDefaults } from "../../src/synth/options.ts";
import { normals } from "../../src/synth/random.ts";
import { unitsTarget } from "../../src/synth/target.ts";
import type { Running } from "../running.ts";

/** The unit that is searched, where the classifier has so many. */
const UNIT = 945;

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

/** The two networks. */
interface Pair {
  generator: Model;
  classifier: Model;
}

/** Decides the numbers: the defaults, without bounds. @throws UserError */
export function subjectOf({ generator, classifier }: Pair, batch: number): SearchSubject {
  const joined = join(generator, classifier);
  const unit = Math.min(UNIT, joined.logits.shape[0] - 1);
  const settings = {
    ...searchDefaults(),
    codes: normals(0, batch * count(joined.code.shape)),
    objective: settleObjective(joined, Array.from({ length: batch }, () => unitsTarget({ units: [unit] }))),
  };
  return { generator: generator.name, classifier: classifier.name, joined, unit, batch, settings };
}

/** Compiles an iteration. @throws UserError, GpuError */
export async function openSearch(device: Device, pair: Pair, batch: number, how: ClimbOptions = {}): Promise<Running> {
  const { generator, classifier, joined, settings } = subjectOf(pair, batch);
  const climb = await Climb.create(device, joined, settings, how);
  return {
    title: `${generator} and ${classifier}, batch ${batch}`,
    plan: climb.plan,
    restart: () => climb.restart(),
    [Symbol.dispose]: () => climb[Symbol.dispose](),
  };
}
