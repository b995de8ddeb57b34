/** Two runs at once: who comes second to a name is told so at once, and not after all the work. */
import { UserError } from "../../formats/user_error.ts";
import { sweep, Temporary, tryLock } from "./temporary.ts";

/** How long a run waits for another one that looks around in the same folder. */
const patienceMs = 2000;
const pauseMs = 5;

/**
 * Announces to other runs, for as long as the result is not disposed of, which names in a folder will be written; and removes
 * what dead runs left there.
 * @param files By their names in the folder, what the user calls them.
 * @throws UserError where a living run has announced one of them.
 */
export function reserve(folder: string, files: ReadonlyMap<string, string>): Temporary {
  using _ = alone(folder);
  const announced = sweep(folder);
  for (const [file, name] of files) {
    if (announced.has(file)) throw new UserError(`another run is at work on ${name}`);
  }
  const own = Temporary.in(folder);
  try {
    own.announce([...files.keys()]);
    return own;
  } catch (error) {
    own[Symbol.dispose]();
    throw error;
  }
}

/**
 * Keeps other runs from looking around in a folder, by locking the folder itself. Where that cannot be, or takes too long, two
 * runs may miss each other; then whoever ends second finds the place taken.
 */
function alone(folder: string): Disposable {
  let lock: Deno.FsFile;
  try {
    lock = Deno.openSync(folder);
  } catch {
    return { [Symbol.dispose]() {} }; // Windows opens no folders
  }
  for (let waited = 0; tryLock(lock) === false && waited < patienceMs; waited += pauseMs) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
  return lock;
}
