/** A place for what other programs leave. */
import { atExit } from "../interrupt.ts";

/**
 * A folder among the system's temporary ones, gone with all that is in it when it is disposed of, or at the program's end.
 * @throws What Deno throws where there can be none.
 */
export function scratchFolder(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "phosphene-" });
  const remove = () => {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch {
      // a program that ends with this one has just put something there
    }
  };
  const exit = atExit(remove);
  return {
    path,
    [Symbol.dispose]() {
      exit[Symbol.dispose]();
      remove();
    },
  };
}
