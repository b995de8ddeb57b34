/**
 * torchvision's AlexNet, GoogLeNet and ResNet-50 as layers of network.json, in the order of their `forward`.
 *
 * Layers are named as the modules that they are, so that weights keep the names of the state dict. What is no module of its
 * own (functional ReLUs, `cat`, `+=`) is named below its module; a module of several layers names the blob that it makes.
 */

/** A layer of network.json. */
export interface LayerFile {
  name: string;
  type: string;
  [parameter: string]: unknown;
}

type Parameters = Record<string, unknown>;

/** Appends a layer that reads `source` and writes `output`, its own name unless given; gives the blob's name. */
export type Add = (
  name: string,
  type: string,
  source: string | string[],
  parameters?: Parameters,
  output?: string,
) => string;

/** An architecture: writes its layers from the blob "data" to `units` classes. */
export interface Architecture {
  /** The module that holds the classes. */
  last: string;
  /** What torchvision's published weights expect of pixels / 255. */
  mean: number[];
  std: number[];
  /** Parts of the state dict that only training needs. */
  unused?: RegExp;
  build(add: Add, units: number): void;
}

/** The layers that `build` appends. */
export function draw(build: (add: Add) => void): LayerFile[] {
  const layers: LayerFile[] = [];
  build((name, type, source, parameters, output = name) => {
    const inputs = typeof source === "string" ? { input: source } : { inputs: source };
    layers.push({ name, type, ...inputs, output: output === name ? undefined : output, ...parameters });
    return output;
  });
  return layers;
}

/** nn.Sequential: modules named by their places. */
const sequential = (add: Add, name: string, input: string, modules: [type: string, parameters?: Parameters][]) =>
  modules.reduce((x, [type, parameters], place) => add(`${name}.${place}`, type, x, parameters), input);

const conv = (channels: number, kernel: number, stride = 1, padding = 0, bias?: false): Parameters => (
  { channels, kernel, stride: stride === 1 ? undefined : stride, padding: padding || undefined, bias }
);
const pool = (kernel: number, stride: number, rounding: "floor" | "ceil" = "floor", padding?: number): Parameters => (
  { kernel, stride, padding, rounding }
);
const batchNorm = (epsilon: number): Parameters => ({ epsilon, affine: true });

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

const alexnet: Architecture = {
  ...imagenet,
  last: "classifier.6",
  build(add, units) {
    const features = sequential(add, "features", "data", [
      ["conv2d", conv(64, 11, 4, 2)],
      ["relu"],
      ["maxpool", pool(3, 2)],
      ["conv2d", conv(192, 5, 1, 2)],
      ["relu"],
      ["maxpool", pool(3, 2)],
      ["conv2d", conv(384, 3, 1, 1)],
      ["relu"],
      ["conv2d", conv(256, 3, 1, 1)],
      ["relu"],
      ["conv2d", conv(256, 3, 1, 1)],
      ["relu"],
      ["maxpool", pool(3, 2)],
    ]);
    // Adaptive pooling to 6 × 6 of maps that are 6 × 6.
    const pooled = add("avgpool", "avgpool", features, { kernel: 1 });
    sequential(add, "classifier", pooled, [
      ["dropout"],
      ["fc", { channels: 4096 }],
      ["relu"],
      ["dropout"],
      ["fc", { channels: 4096 }],
      ["relu"],
      ["fc", { channels: units }],
    ]);
  },
};

/** GoogLeNet's BasicConv2d: a convolution without bias, batch norm, ReLU. */
function basicConv(add: Add, name: string, input: string, parameters: Parameters): string {
  const convolved = add(`${name}.conv`, "conv2d", input, { ...parameters, bias: false });
  return add(`${name}.relu`, "relu", add(`${name}.bn`, "batchnorm", convolved, batchNorm(0.001)), {}, name);
}

/** Channels of an inception module: 1×1; reduced, 3×3; reduced, "5×5", which is 3×3 in torchvision; after pooling. */
export type InceptionChannels = [number, number, number, number, number, number];

/** GoogLeNet's Inception. */
export function inception(add: Add, name: string, input: string, channels: InceptionChannels): string {
  const [one, reduce2, three2, reduce3, three3, pooled] = channels;
  const branch = (path: string, from: string, ...parameters: Parameters[]) =>
    parameters.reduce((x, p, place) => basicConv(add, `${name}.${path}.${place}`, x, p), from);
  const outputs = [
    basicConv(add, `${name}.branch1`, input, conv(one, 1)),
    branch("branch2", input, conv(reduce2, 1), conv(three2, 3, 1, 1)),
    branch("branch3", input, conv(reduce3, 1), conv(three3, 3, 1, 1)),
    basicConv(
      add,
      `${name}.branch4.1`,
      add(`${name}.branch4.0`, "maxpool", input, pool(3, 1, "ceil", 1)),
      conv(pooled, 1),
    ),
  ];
  return add(`${name}.cat`, "concat", outputs, {}, name);
}

const googlenet: Architecture = {
  // Published weights come with transform_input, which turns ImageNet's normalisation into this one.
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  last: "fc",
  unused: /^aux[12]\./,
  build(add, units) {
    const modules = (input: string, table: [name: string, channels: InceptionChannels][]) =>
      table.reduce((x, [name, channels]) => inception(add, name, x, channels), input);
    let x = basicConv(add, "conv1", "data", conv(64, 7, 2, 3));
    x = add("maxpool1", "maxpool", x, pool(3, 2, "ceil"));
    x = basicConv(add, "conv2", x, conv(64, 1));
    x = basicConv(add, "conv3", x, conv(192, 3, 1, 1));
    x = add("maxpool2", "maxpool", x, pool(3, 2, "ceil"));
    x = modules(x, [
      ["inception3a", [64, 96, 128, 16, 32, 32]],
      ["inception3b", [128, 128, 192, 32, 96, 64]],
    ]);
    x = add("maxpool3", "maxpool", x, pool(3, 2, "ceil"));
    x = modules(x, [
      ["inception4a", [192, 96, 208, 16, 48, 64]],
      ["inception4b", [160, 112, 224, 24, 64, 64]],
      ["inception4c", [128, 128, 256, 24, 64, 64]],
      ["inception4d", [112, 144, 288, 32, 64, 64]],
      ["inception4e", [256, 160, 320, 32, 128, 128]],
    ]);
    x = add("maxpool4", "maxpool", x, pool(2, 2, "ceil"));
    x = modules(x, [
      ["inception5a", [256, 160, 320, 32, 128, 128]],
      ["inception5b", [384, 192, 384, 48, 128, 128]],
    ]);
    x = add("dropout", "dropout", add("avgpool", "avgpool", x, { global: true }));
    add("fc", "fc", x, { channels: units });
  },
};

/** ResNet's Bottleneck, version 1.5: the stride is the 3×3 convolution's. The first of a layer projects its input. */
export function bottleneck(add: Add, name: string, input: string, planes: number, stride: number, first: boolean) {
  const normed = (conv: string, bn: string, x: string, parameters: Parameters) =>
    add(`${name}.${bn}`, "batchnorm", add(`${name}.${conv}`, "conv2d", x, parameters), batchNorm(1e-5));
  let x = add(`${name}.relu1`, "relu", normed("conv1", "bn1", input, conv(planes, 1, 1, 0, false)));
  x = add(`${name}.relu2`, "relu", normed("conv2", "bn2", x, conv(planes, 3, stride, 1, false)));
  x = normed("conv3", "bn3", x, conv(4 * planes, 1, 1, 0, false));
  const shortcut = first ? normed("downsample.0", "downsample.1", input, conv(4 * planes, 1, stride, 0, false)) : input;
  const sum = add(`${name}.add`, "eltwise", [x, shortcut], { operation: "sum" });
  return add(`${name}.relu3`, "relu", sum, {}, name);
}

const resnet50: Architecture = {
  ...imagenet,
  last: "fc",
  build(add, units) {
    let x = add("bn1", "batchnorm", add("conv1", "conv2d", "data", conv(64, 7, 2, 3, false)), batchNorm(1e-5));
    x = add("maxpool", "maxpool", add("relu", "relu", x), pool(3, 2, "floor", 1));
    for (const [layer, [planes, blocks]] of [[64, 3], [128, 4], [256, 6], [512, 3]].entries()) {
      for (let block = 0; block < blocks; block++) {
        const stride = layer > 0 && block === 0 ? 2 : 1;
        x = bottleneck(add, `layer${layer + 1}.${block}`, x, planes, stride, block === 0);
      }
    }
    add("fc", "fc", add("avgpool", "avgpool", x, { global: true }), { channels: units });
  },
};

/** The names that torchvision gives them. */
export type ArchitectureName = "alexnet" | "googlenet" | "resnet50";

/** The architectures. */
export const architectures: Readonly<Record<ArchitectureName, Architecture>> = { alexnet, googlenet, resnet50 };
