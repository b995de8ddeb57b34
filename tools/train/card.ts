/**
 * The model cards: README.md of each packed folder, from what packing knows and what check.py measured.
 */
import { UserError } from "../../src/formats/user_error.ts";
import type { NetworkFile } from "./networks.ts";
import type { StoredLayer } from "./weights.ts";

/** check.py's file; the start of it is also what `deno task classify --val FILE --json` prints. Shares are 0 … 1; units of a search are Φ's. */
export interface Measured {
  /** What measured, e.g. "PyTorch 1.13, float32". */
  by?: string;
  /** How many were measured on. */
  pictures: number;
  top1: number;
  top5: number;
  /** G(E(x)) against the images x: mean |difference| in the input's units, and how often Φ's top-1 is x's label. */
  reconstruction?: { pixel: number; top1: number };
  /** `top1` is the unit that Φ ranks first for the final picture. */
  search?: { iterations: number; seed: number; runs: { unit: number; activation: number; top1: number }[] };
}

/** What a card is made of. `hash` is that of src/net/model.ts; `note` says how this pair was trained. */
export interface CardFacts {
  network: NetworkFile;
  report: StoredLayer[];
  hash: string;
  labels: string[];
  measured?: Measured;
  note?: string;
}

/** Reads check.py's JSON; `name` stands for the file in errors. Throws UserError where figures are missing. */
export function readMeasured(text: string, name: string): Measured {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError(`${name}: not JSON`);
  }
  for (const key of ["top1", "top5"]) {
    if (!(value?.[key] >= 0 && value[key] <= 1)) throw new UserError(`${name}: "${key}" must be a share, 0 to 1`);
  }
  if (!(value.pictures > 0)) throw new UserError(`${name}: "pictures" must be the number of pictures measured on`);
  return value;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

const training = "Tiny ImageNet: 100,000 images of 64×64, 500 of each of 200 ILSVRC-2012 classes";

const licence = `## Licence

The weights are given under the project's MIT licence as far as the authors' own rights go. They were trained on Tiny
ImageNet, whose images come from ImageNet and are made available for non-commercial research and education only. Whether
weights learnt from such images may serve other ends is for whoever uses them so to settle.`;

/** The card of Φ, caffenet64. */
export function classifierCard(facts: CardFacts): string {
  const { network, labels, measured } = facts;
  const trained = network.trained!.map(([first, last]) => first === last ? `${first}` : `${first}–${last}`);
  const count = network.trained!.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const figures = measured && table(["measured", ""], [
    [`top-1 on ${measured.pictures} validation images of the trained classes`, percent(measured.top1)],
    ["top-5", percent(measured.top5)],
  ]);
  return page([
    `# caffenet64`,
    `An image classifier of CaffeNet's family for 64×64 images: Φ, whose units the search climbs, and E, the encoder whose
fc6 features the generator deepsim64 inverts. The output layer fc8 has ILSVRC-2012's 1000 units in the usual order; ${count}
of them were trained.`,
    `Trained on ${training}.${facts.note ? ` ${facts.note}` : ""}`,
    figures,
    measured && howMeasured(measured, "plain 64×64 images, no crops, ranked among all 1000 units"),
    `A small network for small pictures: it confuses classes that look alike at 64×64, and whatever is none of its trained
classes it takes for one of them. It is here to study the search, not to recognise things.`,
    `## Trained units`,
    `${
      trained.join(", ")
    }. The rest of fc8 is zero: their activation is always 0, and a search for one leaves its code where it started.`,
    `\`labels.txt\` names all 1000 (${labels[0]}, ${labels[1]} …): the first synonym of each class in
@tensorflow-models/mobilenet 2.1.1 (Apache-2.0, © Google LLC). "crane" (134 the bird, 517 the machine) and "maillot" (638,
639) name two units each.`,
    ...files(facts),
    licence,
    rebuild,
  ]);
}

/** The card of G, deepsim64. */
export function generatorCard(facts: CardFacts): string {
  const { labels, measured } = facts;
  const { reconstruction, search } = measured ?? {};
  const right = search?.runs.filter((run) => run.unit === run.top1).length;
  return page([
    `# deepsim64`,
    `An image generator: it inverts caffenet64's fc6 (1024 features after the ReLU) to a 64×64 RGB image, as Dosovitskiy and
Brox did for CaffeNet (2016), with pixel, deep-feature and adversarial losses. The search for a unit's preferred image
moves through its code. \`code.mean\` and \`code.std\` in the weights are fc6's statistics over 10,000 training images; the
search keeps each code unit between 0 and mean + 3 · std.`,
    `Trained on ${training}, with caffenet64 fixed.${facts.note ? ` ${facts.note}` : ""}`,
    reconstruction && table(["measured", ""], [
      [`mean absolute pixel error of G(E(x)), of a range of 2`, reconstruction.pixel.toFixed(3)],
      ["Φ's top-1 on G(E(x)) is x's label", percent(reconstruction.top1)],
    ]),
    measured && reconstruction && howMeasured(measured, `${measured.pictures} validation images`),
    search && `## Searches`,
    search &&
    `The paper's rule, ${search.iterations} iterations, seed ${search.seed}: the final picture's activation, and the unit that Φ ranks first for
it. It is the unit searched for in ${right} of ${search.runs.length}. (The seeds are PyTorch's, not the program's.)`,
    search && table(
      ["unit", "activation", "Φ's top-1"],
      search.runs.map(({ unit, activation, top1 }) => [
        `${unit} ${labels[unit]}`,
        activation.toFixed(1),
        unit === top1 ? "the same" : `${top1} ${labels[top1]}`,
      ]),
    ),
    ...files(facts),
    licence,
    rebuild,
  ]);
}

const howMeasured = ({ by }: Measured, how: string) =>
  `Measured on this folder's weights, as stored${by ? `, by tools/train/check.py with ${by}` : ""}: ${how}.`;

const rebuild = `## Rebuilding

tools/train/README.md leads from the images to this folder. \`deno task pack\` wrote all of it.`;

function files({ report, hash }: CardFacts): string[] {
  const rows = report.map(({ name, dtype, shape, bytes, error }) => [
    name,
    shape.join("×"),
    dtype,
    bytes.toLocaleString("en"),
    error === 0 ? "0" : `${(100 * error).toFixed(2)} %`,
  ]);
  return [
    `## Weights`,
    `I8 rows carry one F32 scale each, biases are F32. The error is that of storing: √(Σ(w − ŵ)² / Σw²) against the trained
weights.`,
    table(["layer", "weight", "stored", "bytes", "error"], rows),
    `SHA-256 of network.json and weights.safetensors together, as pictures made with this model carry it:
\`${hash}\``,
  ];
}

const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const page = (blocks: (string | undefined)[]) => blocks.filter(Boolean).join("\n\n") + "\n";
