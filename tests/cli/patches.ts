/** A network whose units answer to patches of a colour, and pictures with patches in known places. */
import { join } from "node:path";
import { zipSync } from "fflate";
import type { Image } from "../../src/formats/image.ts";
import { writeNpy } from "../../src/formats/npy.ts";
import { encodePng } from "../../src/formats/png.ts";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";

/** Side of the pictures, of a patch, and from one unit's patch to its neighbour's. */
export const side = 24;
export const patchSide = 6;
export const stride = 2;

/** Side of conv1's maps. */
const mapSide = (side - patchSide) / stride + 1;

/** conv1 finds red (unit 0) and blue (unit 1) patches, 1 for one that could not be more so; fc2 adds each map up. */
const network = {
  name: "patches",
  inputs: [{ name: "data", shape: [3, side, side] }],
  image: { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 },
  layers: [
    { name: "conv1", type: "conv2d", input: "data", channels: 2, kernel: patchSide, stride },
    { name: "relu1", type: "relu", input: "conv1", output: "conv1" },
    { name: "fc2", type: "fc", input: "conv1", channels: 2 },
  ],
};

/** Writes the network's folder. */
export function writePatchNetwork(folder: string): string {
  const area = patchSide ** 2;
  const map = mapSide ** 2;
  const conv = Float32Array.from({ length: 2 * 3 * area }, (_, n) => {
    const unit = Math.floor(n / (3 * area));
    const channel = Math.floor(n / area) % 3;
    return (channel === 2 * unit ? 1 : -1) / (3 * area);
  });
  const fc = Float32Array.from({ length: 2 * 2 * map }, (_, n) => Number(Math.floor(n / map) % 3 === 0)); // unit n adds map n
  const zeros = new Float32Array(2);
  const tensors = new Map([
    ["conv1.weight", fromFloat32(conv, "F32", [2, 3, patchSide, patchSide])],
    ["conv1.bias", fromFloat32(zeros, "F32", [2])],
    ["fc2.weight", fromFloat32(fc, "F32", [2, 2 * map])],
    ["fc2.bias", fromFloat32(zeros, "F32", [2])],
  ]);
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(join(folder, "network.json"), JSON.stringify(network));
  Deno.writeFileSync(join(folder, "weights.safetensors"), writeSafetensors(tensors));
  return folder;
}

/** A grey picture, with a patch of so much red. */
export function patchPicture(red?: number, [left, top]: readonly [number, number] = [0, 0]): Image {
  const rgb = new Uint8Array(3 * side * side).fill(128);
  for (let y = top; red !== undefined && y < top + patchSide; y++) {
    for (let x = left; x < left + patchSide; x++) rgb.set([red, 0, 0], 3 * (y * side + x));
  }
  return { width: side, height: side, rgb };
}

/** What conv1's unit 0 makes of a patch of so much red. */
export const activationOf = (red: number): number => ((red - 127.5) / 127.5 + 2) / 3;

/** Writes a picture. */
export function writePicture(file: string, image: Image): string {
  Deno.writeFileSync(file, encodePng(image));
  return file;
}

/** Writes pictures as one of NumPy's arrays, of this name. */
export function writeImages(file: string, pictures: readonly Image[], name = "images"): string {
  const data = new Uint8Array(pictures.length * 3 * side * side);
  pictures.forEach(({ rgb }, n) => data.set(rgb, n * rgb.length));
  const images = writeNpy({ shape: [pictures.length, side, side, 3], data });
  Deno.writeFileSync(file, zipSync({ [`${name}.npy`]: images }, { level: 1 }));
  return file;
}
