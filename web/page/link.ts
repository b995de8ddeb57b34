/** The page's end of the line to the engine. */
import type { GpuErrorKind } from "../../src/mod.ts";
import type { Call, Calls, Reply, Told } from "../engine/messages.ts";

/** What the engine answers, later. */
type Answered = { [Name in keyof Calls]: (...args: Parameters<Calls[Name]>) => Promise<ReturnType<Calls[Name]>> };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What the engine could not do; `kind` where the GPU is why. */
export class EngineError extends Error {
  constructor(sentence: string, readonly kind?: GpuErrorKind) {
    super(sentence);
  }
}

/** Starts the engine. `hear` is told its events, `failed` that it could not start or has ended. */
export function startEngine(hear: (told: Told) => void, failed: (sentence: string) => void): Answered {
  const worker = new Worker(new URL("engine.js", document.baseURI), { type: "module", name: "engine" });
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    if ("event" in data) return hear(data.event);
    const { resolve, reject } = waiting.get(data.id)!;
    waiting.delete(data.id);
    if ("sentence" in data) reject(new EngineError(data.sentence, data.kind));
    else resolve(data.value);
  };
  worker.onerror = ({ message }) => {
    const sentence = message ?? "the engine could not be loaded";
    for (const { reject } of waiting.values()) reject(new Error(sentence));
    waiting.clear();
    failed(sentence);
  };
  return new Proxy({} as Answered, {
    get: (_, name: keyof Calls) => (...args: unknown[]) =>
      new Promise((resolve, reject) => {
        const id = ++calls;
        const call: Call = { id, name, args };
        waiting.set(id, { resolve, reject });
        worker.postMessage(call);
      }),
  });
}
