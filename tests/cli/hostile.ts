/** Reads hostile files in one process, one after the other, and prints what is wrong about how that ends. */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { giveBack } from "../../src/formats/bytes.ts";
import { UserError } from "../../src/formats/user_error.ts";

/** A file, and who reads it. */
export interface Hostile {
  kind: string;
  bytes: Uint8Array;
  read: () => unknown;
}

const milliseconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const megabytes = () => Math.round(process.resourceUsage().maxRSS / 1024);
const many = 150e6;

/**
 * Reads so many, made one by one. Prints each answer that is no sentence, that took over five seconds of the processor, or with
 * which the process' peak of memory came over 400 MB; then what all came to.
 */
export async function readHostile(count: number, make: (n: number) => Hostile): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  let slowest = 0;
  let refused = 0;
  for (let n = 0; n < count; n++) {
    const { kind, bytes, read } = make(n);
    if (process.memoryUsage().rss > many) collect(); // so that the peak is a file's own, not what others left for the collector
    const what = `file ${n} (${kind}, ${bytes.length} bytes)`;
    const before = megabytes();
    const start = milliseconds();
    try {
      await read();
    } catch (error) {
      refused++;
      if (!isSentence(error)) console.log(`${what}: ${(error as Error).stack}`);
    }
    const took = milliseconds() - start;
    if (took > 5000) console.log(`${what} took ${Math.round(took)} ms`);
    if (megabytes() > 400 && before <= 400) console.log(`${what} brought the process to ${megabytes()} MB`);
    slowest = Math.max(slowest, took);
    giveBack(bytes);
    if ((n + 1) % 1000 === 0) {
      console.error(`${n + 1} of ${count}, slowest ${Math.round(slowest)} ms, peak ${megabytes()} MB`);
    }
  }
  console.log(`${count} files, ${refused} refused, slowest ${Math.round(slowest)} ms, peak ${megabytes()} MB`);
}

const isSentence = (error: unknown) =>
  error instanceof UserError && error.message.length < 800 && !/\p{Cc}/u.test(error.message);
