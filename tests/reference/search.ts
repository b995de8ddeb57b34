/**
 * The paper's search (DGN-AM, Nguyen et al. 2016) in float64, one code at a time:
 *
 *   lr = start + (end − start) · i / n,  x = crop(G(code)),  a = Φ(x),  g = ∂a/∂code
 *   code = clip(code + lr · g / mean|g|, 0, bound) · decay
 *
 * Several units climb together: the objective is Σ a_k − γ Σ (a_k − a_l)², over the pairs k < l.
 */
import { type Network, record, tapeGradients } from "./network.ts";
import { crop } from "./shape_ops.ts";
import { map, type Tensor, tensor } from "./tensor.ts";

/** A network with the weights that it runs on. */
export interface Model {
  network: Network;
  weights: Map<string, Tensor>;
}

/** What a search needs. */
export interface SearchOptions {
  /** G: its only input is the code, its last layer the picture [1, c, h, w]. */
  generator: Model;
  /** Φ: its only input is the picture's centre. */
  classifier: Model;
  /** The blob or layer of Φ that holds the units. */
  layer: string;
  units: number[];
  /** Row and column of a conv unit; the centre, [floor(h / 2), floor(w / 2)], when absent. */
  yx?: [number, number];
  /** γ of the objective for several units. */
  gamma?: number;
  /** The code to start from, [1, …] as G reads it. */
  code: Tensor;
  iterations: number;
  learningRate: { start: number; end: number };
  /** The upper bound of every code unit; without it the code is not clipped. */
  bounds?: ArrayLike<number>;
  /** The lower one, where it is not 0. */
  lowest?: ArrayLike<number>;
  decay: number;
}

/** What a search gives. */
export interface SearchResult {
  /** The code after the last step. */
  code: Tensor;
  /** The last picture that Φ saw: the one before the last step. */
  image: Tensor;
  /** The activations of the units, per iteration; shorter than asked when the gradient became zero. */
  trace: number[][];
}

/** Climbs the units' activation by the paper's rule; stops where the gradient is zero. */
export function paperSearch(options: SearchOptions): SearchResult {
  const { generator, classifier, layer, iterations, learningRate: { start, end }, bounds, lowest, decay } = options;
  const codeName = generator.network.inputs[0].name;
  const { name: imageName, shape: [, height, width] } = classifier.network.inputs[0];
  const last = generator.network.layers.at(-1)!;
  const pictureName = last.output ?? last.name;
  const trace: number[][] = [];
  let code = options.code;
  let image = tensor([0]);
  for (let i = 0; i < iterations; i++) {
    const drawn = record(generator.network, generator.weights, new Map([[codeName, code]]));
    const picture = drawn.values.at(-1)!;
    image = crop.forward([picture], { size: [height, width] }, {});
    const judged = record(classifier.network, classifier.weights, new Map([[imageName, image]]));
    const { activations, slopes } = objective(judged.values[judged.names.get(layer)!], options);
    trace.push(activations);
    const dImage = tapeGradients(judged, layer, slopes).inputs.get(imageName)!;
    const dPicture = crop.backward([picture], image, dImage, { size: [height, width] }, {}).inputs[0];
    const g = tapeGradients(drawn, pictureName, dPicture).inputs.get(codeName)!;
    const mean = g.data.reduce((sum, value) => sum + Math.abs(value), 0) / g.data.length;
    if (mean === 0) break;
    const lr = start + (end - start) * i / iterations;
    code = map(code, (value, j) => {
      const moved = value + lr * g.data[j] / mean;
      return decay * (bounds ? Math.min(Math.max(moved, lowest?.[j] ?? 0), bounds[j]) : moved);
    });
  }
  return { code, image, trace };
}

/** The units' activations, and the gradient of the objective to the features [1, c] or [1, c, h, w] that hold them. */
function objective(features: Tensor, { units, yx, gamma = 0 }: SearchOptions) {
  const [, , h = 1, w = 1] = features.shape;
  const [row, column] = yx ?? [Math.floor(h / 2), Math.floor(w / 2)];
  const at = units.map((unit) => (unit * h + row) * w + column);
  const activations = at.map((index) => features.data[index]);
  const slopes = tensor(features.shape);
  activations.forEach((a, k) => {
    const lead = activations.reduce((sum, other) => sum + a - other, 0);
    slopes.data[at[k]] = 1 - 2 * gamma * lead;
  });
  return { activations, slopes };
}
