/** Files of a model folder over HTTP, each no larger than it may be, however small what the server packed it into. */
import { joinBytes } from "../formats/bytes.ts";
import { UserError } from "../formats/user_error.ts";

/** Bytes that the smallest packed answer may unpack to, and what each packed byte adds: weights hardly shrink. */
const MOST_UNPACKED = 2 ** 26;
const MOST_GROWTH = 16;

const isPacked = ({ headers }: Response): boolean => !["identity", null].includes(headers.get("content-encoding"));

/** Pages do not see whether another host's answer is packed. */
const mayBePacked = (response: Response): boolean => response.type === "cors" || isPacked(response);

/** The most bytes that a body may unpack to; Infinity where it is not packed. */
function mostUnpacked(response: Response): number {
  if (!mayBePacked(response)) return Infinity;
  return MOST_UNPACKED + MOST_GROWTH * Number(response.headers.get("content-length") ?? 0);
}

/** The bytes of a body that is not packed, where the server says them and so many have not yet come. */
function sizeOf(response: Response, come: number): number | undefined {
  const length = Number(response.headers.get("content-length"));
  return !isPacked(response) && length >= come ? length : undefined;
}

/** Told how many bytes of a file have come, and of how many, where that is known. */
export type OnBytes = (bytes: number, of: number | undefined) => void;

/** Fetches a file; undefined where there is none. @throws UserError in one sentence. */
export async function fetchFile(address: string, most: number, onBytes?: OnBytes): Promise<Uint8Array | undefined> {
  let response: Response;
  const failed = (reason: string) => new UserError(`${address} cannot be read: ${reason}`);
  try {
    response = await fetch(address);
  } catch (error) {
    throw failed((error as Error).message);
  }
  if (response.status === 404 || !response.ok) {
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    throw failed(`status ${response.status}`);
  }
  const limit = Math.min(most, mostUnpacked(response));
  const pieces: Uint8Array[] = [];
  const reader = response.body?.getReader();
  for (let size = 0;;) {
    const { value } = await reader?.read().catch((error) => {
      throw failed((error as Error).message);
    }) ?? {};
    if (!value) return joinBytes(pieces);
    if ((size += value.length) > limit) {
      await reader!.cancel();
      throw failed(`it has more than ${limit} bytes`);
    }
    pieces.push(value);
    onBytes?.(size, sizeOf(response, size));
  }
}
