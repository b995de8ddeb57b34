/** What `bench kernels` does with kernels as plans have them: it writes them out, and tries those that the user brought. */
import { type Own, ownPlanning } from "../../src/cli/own_kernels.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { Device } from "../../src/gpu/device.ts";
import { judge, type Verdict, verdictLine } from "../../src/lab/judge.ts";
import { type Choose, chooseCheapest } from "../../src/net/choose.ts";
import { graphOf } from "../../src/net/graph.ts";
import type { PlannedKernel } from "../../src/net/kernels.ts";
import { buildPlan, type Plan } from "../../src/net/plan.ts";
import type { Arithmetic } from "../../src/ops/op.ts";
import { type DumpedText, dumpedTexts } from "../dump.ts";
import { loadRunning } from "../running.ts";
import type { Measured, Wanted } from "./subjects.ts";

/** How plans are made here. */
interface Planning {
  arithmetic?: Arithmetic;
  choose: Choose;
}

/** Texts of kernels for a folder, and what was found of the user's own. */
export interface Laboratory {
  texts: DumpedText[];
  verdicts: Verdict[];
  /** The layers that have a kernel of the user's. */
  replaced: Set<string>;
}

/**
 * Makes the plan that the layers are of, the search's or a network's forward and back, with the user's kernels in it; of
 * shapes and cases a plan for each.
 * @throws UserError where a kernel is wrong, or there is none of its name.
 */
export async function inPlans(
  device: Device,
  wanted: Wanted,
  layers: readonly Measured[],
  own: Own,
  how: Planning,
): Promise<Laboratory> {
  const result: Laboratory = { texts: [], verdicts: [], replaced: new Set() };
  const take = (kernels: readonly PlannedKernel[]) => {
    const names = new Set(layers.flatMap(({ layer, same }) => [layer.name, ...same]));
    const all = wanted.op === undefined && wanted.layer === undefined;
    result.texts.push(
      ...dumpedTexts(device, kernels.filter(({ layer }) => layer ? names.has(layer.layer.name) : all)),
    );
    for (const { layer, call } of kernels) if (layer && call.own) result.replaced.add(layer.layer.name);
  };
  if (wanted.case === undefined && wanted.shape.length === 0) {
    const planning = ownPlanning(device, own, (_, verdict) => result.verdicts.push(verdict));
    using running = await (await loadRunning(wanted))(device, { ...how, ...planning });
    take(running.plan.kernels);
    return result;
  }
  if (own.kernels.length > 0) {
    throw new UserError(
      "--replace names kernels of the default pair, of --model or of --network, not of a case or shape",
    );
  }
  for (const layer of layers) {
    using plan = await planOf(device, layer, how);
    take(plan.kernels);
  }
  return result;
}

/** Tries the user's own ways on each layer that they can compute. @throws UserError where one is wrong. */
export async function tryWays(device: Device, layers: readonly Measured[], arithmetic?: Arithmetic): Promise<string[]> {
  const lines: string[] = [];
  const choose: Choose = (question) =>
    question.candidates.find(({ way }) => way.file !== undefined) ?? chooseCheapest(question);
  for (const layer of layers) {
    const isOwn = ({ file }: { file?: string }) => file !== undefined;
    if (![...layer.layer.op.forward, ...layer.layer.op.backward].some(isOwn)) continue;
    using plan = await planOf(device, layer, { arithmetic, choose });
    lines.push(...(await judge(device, plan)).map(verdictLine));
  }
  return lines;
}

/** A plan for a layer by itself, and its gradient. */
function planOf(device: Device, { layer, batch }: Measured, how: Planning): Promise<Plan> {
  const { inputs, output } = layer;
  return buildPlan(device, {
    graph: graphOf(layer),
    batch,
    wanted: [output],
    gradient: { of: [output], to: inputs[0] },
    ...how,
  });
}
