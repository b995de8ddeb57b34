/** torchvision's state dicts: every name and shape, and tensors of zeros. */
import type { DType, StoredTensor } from "../../../src/formats/safetensors.ts";

/** The shapes of a state dict by name, module by module as torchvision builds them. */
export type Shapes = Record<string, number[]>;

const convShapes = (name: string, from: number, to: number, kernel: number): Shapes => (
  { [`${name}.weight`]: [to, from, kernel, kernel] }
);
/** A Linear. */
export const linear = (name: string, from: number, to: number): Shapes => (
  { [`${name}.weight`]: [to, from], [`${name}.bias`]: [to] }
);
const batchNorm = (name: string, channels: number): Shapes => ({
  ...Object.fromEntries(["weight", "bias", "running_mean", "running_var"].map((key) => [`${name}.${key}`, [channels]])),
  [`${name}.num_batches_tracked`]: [],
});

/** AlexNet. */
export const alexnet: Shapes = {
  ...[[0, 3, 64, 11], [3, 64, 192, 5], [6, 192, 384, 3], [8, 384, 256, 3], [10, 256, 256, 3]].reduce<Shapes>(
    (all, [n, from, to, kernel]) => (
      { ...all, ...convShapes(`features.${n}`, from, to, kernel), [`features.${n}.bias`]: [to] }
    ),
    {},
  ),
  ...linear("classifier.1", 256 * 6 * 6, 4096),
  ...linear("classifier.4", 4096, 4096),
  ...linear("classifier.6", 4096, 1000),
};

const basicConv = (name: string, from: number, to: number, kernel: number): Shapes => (
  { ...convShapes(`${name}.conv`, from, to, kernel), ...batchNorm(`${name}.bn`, to) }
);

/** Inception(in, 1×1, reduce, 3×3, reduce, "5×5", pooled). */
const inceptionShapes = (name: string, [from, a, b, c, d, e, f]: number[]): Shapes => ({
  ...basicConv(`${name}.branch1`, from, a, 1),
  ...basicConv(`${name}.branch2.0`, from, b, 1),
  ...basicConv(`${name}.branch2.1`, b, c, 3),
  ...basicConv(`${name}.branch3.0`, from, d, 1),
  ...basicConv(`${name}.branch3.1`, d, e, 3),
  ...basicConv(`${name}.branch4.1`, from, f, 1),
});

const auxiliary = (name: string, from: number): Shapes => (
  {
    ...basicConv(`${name}.conv`, from, 128, 1),
    ...linear(`${name}.fc1`, 2048, 1024),
    ...linear(`${name}.fc2`, 1024, 1000),
  }
);

/** GoogLeNet, its auxiliary heads included. */
export const googlenet: Shapes = {
  ...basicConv("conv1", 3, 64, 7),
  ...basicConv("conv2", 64, 64, 1),
  ...basicConv("conv3", 64, 192, 3),
  ...inceptionShapes("inception3a", [192, 64, 96, 128, 16, 32, 32]),
  ...inceptionShapes("inception3b", [256, 128, 128, 192, 32, 96, 64]),
  ...inceptionShapes("inception4a", [480, 192, 96, 208, 16, 48, 64]),
  ...inceptionShapes("inception4b", [512, 160, 112, 224, 24, 64, 64]),
  ...inceptionShapes("inception4c", [512, 128, 128, 256, 24, 64, 64]),
  ...inceptionShapes("inception4d", [512, 112, 144, 288, 32, 64, 64]),
  ...inceptionShapes("inception4e", [528, 256, 160, 320, 32, 128, 128]),
  ...inceptionShapes("inception5a", [832, 256, 160, 320, 32, 128, 128]),
  ...inceptionShapes("inception5b", [832, 384, 192, 384, 48, 128, 128]),
  ...auxiliary("aux1", 512),
  ...auxiliary("aux2", 528),
  ...linear("fc", 1024, 1000),
};

/** ResNet-50. */
export const resnet50: Shapes = {
  ...convShapes("conv1", 3, 64, 7),
  ...batchNorm("bn1", 64),
  ...linear("fc", 2048, 1000),
};
for (const [layer, [planes, blocks]] of [[64, 3], [128, 4], [256, 6], [512, 3]].entries()) {
  for (let block = 0; block < blocks; block++) {
    const from = block > 0 ? 4 * planes : layer === 0 ? 64 : 2 * planes;
    const name = `layer${layer + 1}.${block}`;
    Object.assign(resnet50, convShapes(`${name}.conv1`, from, planes, 1), batchNorm(`${name}.bn1`, planes));
    Object.assign(resnet50, convShapes(`${name}.conv2`, planes, planes, 3), batchNorm(`${name}.bn2`, planes));
    Object.assign(resnet50, convShapes(`${name}.conv3`, planes, 4 * planes, 1), batchNorm(`${name}.bn3`, 4 * planes));
    if (block > 0) continue;
    const projection = convShapes(`${name}.downsample.0`, from, 4 * planes, 1);
    Object.assign(resnet50, projection, batchNorm(`${name}.downsample.1`, 4 * planes));
  }
}

/** Zeros that all tensors share: as many as the largest, AlexNet's classifier.1, has. */
const shared = new Uint8Array(4 * 4096 * 9216);
const sizes = { F32: 4, F16: 2, BF16: 2, F64: 8, I64: 8, I32: 4, I8: 1, U8: 1 };

/** A tensor of zeros. */
export function zeros(shape: number[], dtype: DType = "F32"): StoredTensor {
  return { dtype, shape, bytes: shared.subarray(0, shape.reduce((product, n) => product * n, sizes[dtype])) };
}
