/**
 * The layers of a prototxt in one form, whichever of the three generations it is written in.
 *
 *     layer  { name: "conv1" type: "Convolution" bottom … top … convolution_param { kernel_size: 3 } }
 *     layers { name: "conv1" type: CONVOLUTION   bottom … top … convolution_param { kernel_size: 3 } }
 *     layers { layer { name: "conv1" type: "conv" kernelsize: 3 } bottom … top … }
 *
 * Only layers of the TEST phase are kept. Their types have the newest generation's names.
 */
import { UserError } from "../../../src/formats/user_error.ts";
import type { Message } from "./message.ts";

/** One layer. */
export interface CaffeLayer {
  name: string;
  /** As in the newest generation where the type is known here, else as written. */
  type: string;
  bottoms: string[];
  tops: string[];
  /** Its name and type, as errors name it. */
  label: string;
  /** File and line, and the label. */
  where: string;
  /** The parameters of its type, by their newest names. */
  settings: Message;
  /** How a data layer turns pixels into numbers. */
  transform: Message;
}

/** What the types' parameters are called; types without any have none. */
export type SettingsField = (type: string) => string | undefined;

/**
 * The layers of the network `net` that run in the TEST phase, in order.
 * @param known Every type's newest name, to find the older ones by.
 * @throws UserError where a layer is not what Caffe understands.
 */
export function readLayers(net: Message, known: readonly string[], settings: SettingsField): CaffeLayer[] {
  const newest = net.messages("layer");
  const older = net.messages("layers");
  if (newest.length > 0 && older.length > 0) {
    throw new UserError(
      `${older[0].where}: "layers" after "layer": a network is written in one of Caffe's generations`,
    );
  }
  const names = new Map(known.map((type) => [folded(type), type]));
  for (const [alias, type] of aliases) names.set(alias, type);
  const layers = [...newest, ...older].filter(runsInTest).map((message) => {
    const newName = (type: string) => older.length > 0 ? names.get(folded(type)) ?? type : type;
    return message.count("layer") ? oldestLayer(message, newName) : readLayer(message, newName, settings);
  });
  return withoutPadding(layers);
}

/** INNER_PRODUCT, innerproduct and InnerProduct are one type. */
const folded = (type: string) => type.replaceAll("_", "").toLowerCase();

/** Older names that are more than another spelling. */
const aliases: [folded: string, type: string][] = [
  ["conv", "Convolution"],
  ["pool", "Pooling"],
  ["images", "ImageData"],
  ["softmaxloss", "SoftmaxWithLoss"],
];

/** Fields of a layer that change nothing once it is trained. */
const trainingFields = [
  "phase",
  "loss_weight",
  "param",
  "propagate_down",
  "blobs_lr",
  "weight_decay",
  "blob_share_mode",
  "weight_filler",
  "bias_filler",
];

function readLayer(message: Message, newName: (type: string) => string, settings: SettingsField): CaffeLayer {
  const head = readHead(message, message, newName);
  const field = settings(head.type);
  const layer = {
    ...head,
    settings: message.message(field ?? ""),
    transform: message.message("transform_param"),
  };
  message.ignore(...trainingFields, ...message.names().filter((name) => name.endsWith("_param")));
  message.done(head.label);
  return layer;
}

/** In the oldest generation the parameters of all types stand side by side, some under other names. */
function oldestLayer(message: Message, newName: (type: string) => string): CaffeLayer {
  const inner = message.message("layer");
  const head = readHead(message, inner, newName);
  message.done(head.label);
  inner.ignore(...trainingFields);
  for (const [from, to] of oldestNames) inner.rename(from, to);
  return { ...head, settings: inner, transform: inner };
}

const oldestNames: [from: string, to: string][] = [
  ["kernelsize", "kernel_size"],
  ["biasterm", "bias_term"],
  ["meanfile", "mean_file"],
  ["cropsize", "crop_size"],
  ["batchsize", "batch_size"],
];

function readHead(message: Message, inner: Message, newName: (type: string) => string) {
  const bottoms = message.texts("bottom");
  const tops = message.texts("top");
  const name = inner.text("name", tops[0] ?? "");
  const type = newName(inner.word("type"));
  const label = `layer ${JSON.stringify(name.slice(0, 60))} (${JSON.stringify(type.slice(0, 40))})`;
  if (name === "" || type === "") throw new UserError(`${message.where}: a layer has no ${name ? "type" : "name"}`);
  return { name, type, bottoms, tops, label, where: `${message.where}: ${label}` };
}

/** Caffe's rules for the state TEST, level 0, no stages. */
function runsInTest(layer: Message): boolean {
  const meets = (rule: Message) => {
    const phase = rule.choice("phase", ["TRAIN", "TEST"], "TEST");
    const stages = rule.texts("stage");
    const least = rule.integer("min_level", -Infinity) ?? 0;
    const most = rule.integer("max_level", -Infinity) ?? 0;
    rule.ignore("not_stage");
    rule.done("a rule");
    return phase === "TEST" && stages.length === 0 && least <= 0 && most >= 0;
  };
  const include = layer.messages("include");
  const exclude = layer.messages("exclude");
  return include.length > 0 ? include.some(meets) : !exclude.some(meets);
}

/** The oldest networks pad in a layer of its own, before the one that wants it. */
function withoutPadding(layers: CaffeLayer[]): CaffeLayer[] {
  const padded = new Map<string, CaffeLayer>();
  return layers.filter((layer) => {
    const padding = padded.get(layer.bottoms[0]);
    if (padding) {
      if (layer.type !== "Convolution" && layer.type !== "Pooling") {
        throw new UserError(`${layer.where}: a padding layer is only understood before a convolution or a pooling`);
      }
      layer.bottoms[0] = padding.bottoms[0];
      layer.settings.copy("pad", padding.settings);
    }
    for (const top of layer.tops) padded.delete(top);
    if (layer.type !== "padding") return true;
    if (layer.tops.length !== 1 || layer.bottoms.length !== 1) {
      throw new UserError(`${layer.where}: a padding layer has one bottom and one top`);
    }
    padded.set(layer.tops[0], layer);
    return false;
  });
}
