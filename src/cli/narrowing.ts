/** What a search's narrower weights and arithmetic come to. */
import { type Device, inputOf, type Model, type SearchResult } from "../mod.ts";
import type { Request, Row } from "../record/request.ts";
import { isNarrow, narrowingError, narrowingLine } from "./memory.ts";

/**
 * What narrower weights and arithmetic change in the first picture and in the classifier's view of it; arithmetic also in
 * the gradient of its first unit, where units near zero and maxima decide otherwise.
 */
export async function narrowing(
  device: Device,
  classifier: Model,
  { items: [{ code, picture, top }] }: SearchResult,
  { layer: units, items: [{ units: list }], generator }: Row,
  { weights, arithmetic }: Request,
): Promise<string> {
  const narrow = { weights, arithmetic };
  const input = inputOf(classifier, picture);
  const layer = units?.labelled ? units.name : undefined;
  const name = layer ?? "the output";
  const unit = layer !== undefined && list ? list[0] : top[0].unit;
  const gradient = async () => {
    const options = { ...narrow, layer, gradient: true };
    return await narrowingError(device, classifier, options, async (net) => {
      return (await net.gradient(input, unit)).gradient;
    });
  };
  return narrowingLine(narrow, {
    "the picture": await narrowingError(device, generator, narrow, (net) => net.forward(code)),
    [name]: await narrowingError(device, classifier, { ...narrow, layer }, (net) => net.forward(input)),
    ...(isNarrow({ arithmetic }) ? { [`the gradient of ${name}'s unit ${unit}`]: await gradient() } : {}),
  });
}
