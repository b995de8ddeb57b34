/** A case's network and float64 weights as the model that a folder would have given. */
import { fromFloat32 } from "../../src/formats/safetensors.ts";
import type { Model } from "../../src/net/model.ts";
import { parseNetwork } from "../../src/net/network.ts";
import type { NetworkCase } from "../cases/case.ts";
import type { Tensor } from "../reference/tensor.ts";

/** The model of a case, weights stored as float32. */
export function caseModel({ network, weights }: Pick<NetworkCase, "network" | "weights">): Model {
  const stored = [...weights].map(([name, { shape, data }]) =>
    [name, fromFloat32(new Float32Array(data), "F32", shape)] as const
  );
  return {
    name: network.name,
    where: network.name,
    network: parseNetwork(JSON.stringify(network), network.name),
    weights: new Map(stored),
    labels: [],
    hash: "",
  };
}

/** Inputs by name as float32. */
export function caseInputs(inputs: Map<string, Tensor>): Record<string, Float32Array> {
  return Object.fromEntries([...inputs].map(([name, { data }]) => [name, new Float32Array(data)]));
}
