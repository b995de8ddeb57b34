/** Choosing by what was measured: the winners of earlier tunes where they are still to be trusted, else the predicted ones. */
import type { Device } from "../gpu/device.ts";
import { type Choose, chooseCheapest, type LayerWays, pairings, type Subject } from "../net/choose.ts";
import type { Candidate } from "../ops/way.ts";
import { adapterKey, kernelsHash, questionKey } from "./subject.ts";
import { entriesOf, type Entry, type Pick, type TunedWays } from "./ways_file.ts";

/** The ways that a layer goes. */
export interface Chosen extends LayerWays {
  /** The layer's name. */
  layer: string;
  /** Measured to be the fastest, predicted to be, or the only ways that there are. */
  by: "tuned" | "predicted" | "only";
}

/**
 * Chooses what `tune` found, and by the predicted cost where it has found nothing for a layer's shape on this adapter.
 * @param tell Told of every layer's ways.
 *
 * ```ts
 * const net = await Net.create(device, model, { choose: tuned(device, readWays(text)) });
 * ```
 */
export function tuned(device: Device, ways: TunedWays, tell?: (chosen: Chosen) => void): Choose {
  const answers = new WeakMap<Subject, { found?: LayerWays; chosen: Chosen }>();
  return (question) => {
    const { layer, pass, about, candidates } = question;
    if (pass === "backward") {
      const answer = answers.get(about);
      const { backward } = answer?.found ?? {};
      const candidate = candidates.find((one) => backward && same(one, backward)) ?? chooseCheapest(question);
      if (answer) tell?.({ ...answer.chosen, backward: candidate as LayerWays["backward"] });
      return candidate;
    }
    const found = hasChoice(about) ? lookUp(ways, adapterKey(device), about)?.ways : undefined;
    const own = candidates.find((one) => found && same(one, found.forward));
    const forward = (own ?? chooseCheapest(question)) as LayerWays["forward"];
    const by = own ? "tuned" : hasChoice(about) ? "predicted" : "only";
    answers.set(about, { found: own && found, chosen: { layer, forward, by } });
    if (!about.gradient) tell?.({ layer, forward, by });
    return forward as Candidate;
  };
}

/** The newest entry for a subject whose ways are offered and whose kernels are still those that were measured. */
export function lookUp(
  ways: TunedWays,
  adapter: string,
  about: Subject,
): { entry: Entry; ways: LayerWays } | undefined {
  const questions = ways.get(adapter);
  if (!questions) return undefined;
  const entries = entriesOf(ways, adapter, questionKey(about));
  if (entries.length === 0) return undefined;
  const all = [...pairings(about).values()];
  const own = all.some(({ forward, backward }) => [...forward, ...backward].some(({ way }) => way.file !== undefined));
  if (own) return undefined; // the user's own ways were not there when it was measured
  for (const entry of entries) {
    const forward = all.flatMap(({ forward }) => forward).find((one) => names(one, entry.forward));
    if (!forward || about.gradient !== (entry.backward !== undefined)) continue;
    const partners = all.find(({ forward: own }) => own.includes(forward))!.backward;
    const backward = entry.backward && partners.find((one) => names(one, entry.backward!));
    if (about.gradient && !backward) continue;
    const found = { forward, backward };
    if (trusted(about, found, entry)) return { entry, ways: found };
  }
  return undefined;
}

/** Whether the kernels of ways are those that an entry was measured with. */
function trusted(about: Subject, ways: LayerWays, { kernels }: Entry): boolean {
  try {
    return kernelsHash(about, ways) === kernels;
  } catch {
    return false; // this adapter cannot run them; a weight that does not fit is told when it is loaded
  }
}

/** A candidate by name. */
export const pickOf = ({ way, sizes }: Candidate<never, unknown>): Pick => ({ way: way.name, sizes });

/** Whether a candidate is the way and the sizes of a pick. */
function names({ way, sizes }: Candidate<never, unknown>, pick: Pick): boolean {
  const own = Object.entries(sizes);
  return way.name === pick.way && own.length === Object.keys(pick.sizes).length &&
    own.every(([name, size]) => Object.hasOwn(pick.sizes, name) && pick.sizes[name] === size);
}

const same = (a: Candidate<never, unknown>, b: Candidate<never, unknown>): boolean => names(a, pickOf(b));

/** Whether there is more than one candidate to an output or a gradient. */
export function hasChoice(about: Subject): boolean {
  const all = [...pairings(about).values()];
  return all.length > 1 || all.some(({ forward, backward }) => forward.length > 1 || backward.length > 1);
}
