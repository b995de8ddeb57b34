/**
 * What other adapters run: buffers instead of textures, a GPU's tiles and workgroups instead of a CPU's. A sample of
 * every op's cases each, against float64; the other tests run all cases the way that this adapter likes.
 */
import assert from "node:assert/strict";
import { type Device, openDevice } from "../../src/gpu/device.ts";
import type { Caps, Storage } from "../../src/gpu/adapter.ts";
import { allCases } from "../cases/all.ts";
import type { Case } from "../cases/case.ts";
import { checkCase } from "../ops/check_case.ts";
import { pretend } from "./pretend.ts";

const real = await openDevice();
const variants: { name: string; changes: Partial<Caps>; storage: Storage; every: number }[] = [
  { name: "a GPU's tiles in buffers", changes: { software: false }, storage: "buffer", every: 20 },
  { name: "a GPU's tiles in textures", changes: { software: false }, storage: "texture", every: 40 },
  { name: "a CPU's tiles in sampled textures", changes: { storageReads: false }, storage: "texture", every: 40 },
  { name: "a CPU's tiles in buffers", changes: { software: true }, storage: "buffer", every: 40 },
];

/** Of every op the last case, and every `every`th before it. */
function sample(every: number): Case[] {
  const byType = Map.groupBy(allCases, ({ type }) => type);
  return [...byType.values()].flatMap((cases) => cases.filter((_, n) => (cases.length - 1 - n) % every === 0));
}

for (const { name, changes, storage, every } of variants) {
  const device = pretend(real, changes, storage);
  for (const testCase of sample(every)) {
    Deno.test(`${name}: ${testCase.type}: ${testCase.name}`, () => checkCase(device, testCase));
  }
}

Deno.test("a device keeps to the storage asked for, and chooses by its kind", async () => {
  const chosen = ({ storage }: Device) => storage;
  for (const storage of ["buffer", "texture"] as const) {
    using device = await openDevice({ storage });
    assert.equal(chosen(device), storage);
  }
  assert.equal(chosen(pretend(real, { software: true })), "texture");
  assert.equal(chosen(pretend(real, { software: false })), "buffer");
});
