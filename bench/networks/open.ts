/** The networks whose shapes are built in, as models. */
import { UserError } from "../../src/formats/user_error.ts";
import type { Model } from "../../src/net/model.ts";
import { parseNetwork } from "../../src/net/network.ts";
import { knownNetworks } from "./architectures.ts";
import { randomWeights } from "./random_weights.ts";

/** What `--network` takes. */
export const networkNames: readonly string[] = Object.keys(knownNetworks);

/** The option that asks for one of them. */
export const networkOption = {
  value: "NAME",
  help: `a network's shapes with random weights: ${networkNames.join(", ")}`,
};

/**
 * A network whose shapes are built in, with random weights.
 *
 * ```ts
 * using net = await Net.create(device, await openNetwork("resnet50"), { gradient: true });
 * ```
 * @throws UserError where there is none of this name.
 */
export async function openNetwork(name: string): Promise<Model> {
  if (!Object.hasOwn(knownNetworks, name)) {
    throw new UserError(`--network expects ${networkNames.join(" or ")}, got "${name}"`);
  }
  const { input, ...architecture } = knownNetworks[name]();
  const text = JSON.stringify({ ...architecture, inputs: [input] });
  const network = parseNetwork(text, name);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return {
    name: `${network.name} with random weights`,
    where: name,
    network,
    weights: randomWeights(network),
    labels: [],
    hash: digest.toHex(),
  };
}
