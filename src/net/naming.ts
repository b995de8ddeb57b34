/**
 * The values that a search may be about, by name.
 *
 *   conv5          a blob before its last activation, where layers write it in place: in `conv5 → batchnorm → scale → relu`, all
 *                  of them in place, what the relu reads. A silent unit has a gradient there: so the paper's program takes it,
 *                  which goes forward to a layer and back from there
 *   conv5+relu     a blob after the last layer of a type that made it or wrote it in place
 *   conv5+last     a blob's last value
 *   relu5          a layer's own output, where no blob has its name
 *
 * Everything else that names a layer (`infer --layer`, a generator's `code.layer`) means a blob's last value: `Graph.find`.
 */
import { UserError } from "../formats/user_error.ts";
import { typeOf } from "../ops/table.ts";
import type { Graph, Value } from "./graph.ts";

/** What a blob's last value is called. */
export const LAST = "last";

/** The value of a name. @throws UserError when nothing has that name. */
export function valueOf(graph: Graph, name: string): Value {
  const history = graph.historyOf(name);
  if (history) return history.inPlace.findLast(({ op }) => op.isActivation)?.inputs[0] ?? graph.find(name);
  const at = name.lastIndexOf("+");
  const blob = name.slice(0, at);
  const type = name.slice(at + 1);
  if (at > 0 && type === LAST) return graph.find(blob);
  const chain = at > 0 ? graph.historyOf(blob) : undefined;
  if (!chain) return graph.find(name);
  const layers = [...chain.made ? [chain.made] : [], ...chain.inPlace];
  const layer = layers.findLast(({ op }) => typeOf(op) === type);
  if (layer) return layer.output;
  const types = [...layers.map(({ op }) => typeOf(op)), LAST].map((type) => `${blob}+${type}`).join(", ");
  throw new UserError(`no layer of type "${type}" writes "${blob}"; what there is of it: ${types}`);
}
