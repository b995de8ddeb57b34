/** The engine: the worker that holds the device and the networks, and does what the page asks for, one call after the other. */
import { GpuError, openDevice } from "../../src/mod.ts";
import { Engine } from "./engine.ts";
import { type Call, type Reply, sentenceOf } from "./messages.ts";

/** What a worker's own scope has; the types of pages do not know it. */
const scope = self as unknown as {
  postMessage(reply: Reply): void;
  onmessage: ((event: { data: Call }) => void) | null;
};

const engine = new Engine(openDevice, (event) => scope.postMessage({ event }));

scope.onmessage = async ({ data: { id, name, args } }) => {
  try {
    const work = engine[name] as (...args: unknown[]) => unknown;
    scope.postMessage({ id, value: await work.apply(engine, args) });
  } catch (error) {
    scope.postMessage({ id, sentence: sentenceOf(error), kind: error instanceof GpuError ? error.kind : undefined });
  }
};
