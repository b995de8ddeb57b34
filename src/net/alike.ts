/** Ways as a larger batch would go them: kernels for another number of items may add up in another order. */
import { featureMap, type Tensor } from "../gpu/tensor.ts";
import type { Candidate } from "../ops/way.ts";
import { type Choose, chooseWays, type LayerWays, type Subject } from "./choose.ts";

/** There is no such way for fewer items. */
export class Unlike extends Error {}

/**
 * Chooses for one item what `choose` would for `batch` of them.
 * Throws Unlike where a layer's way for so many is none for one.
 */
export function asAmong(batch: number, choose: Choose): Choose {
  const answers = new WeakMap<Subject, LayerWays>();
  return ({ layer, about, pass, candidates }) => {
    let ways = answers.get(about);
    if (!ways) answers.set(about, ways = chooseWays(enlarged(about, batch), choose));
    const { way, sizes } = ways[pass] as Candidate;
    const own = candidates.find((one) => one.way === way);
    if (!own) throw new Unlike(`${layer}: ${way.name} is not for one item`);
    return { ...own, sizes };
  };
}

/** The same subject for so many items as its own has of each. */
function enlarged(about: Subject, batch: number): Subject {
  const { task } = about;
  const more = ({ label, shape: [n, ...item], storage }: Tensor) =>
    featureMap(task.adapter, label, [n * batch, ...item], storage);
  return { ...about, task: { ...task, inputs: task.inputs.map(more), output: more(task.output) } };
}
