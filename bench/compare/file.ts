/** Files of samples, read. */
import { readBytes } from "../../src/cli/files.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { readSamples, type SamplesFile } from "../samples.ts";

/** Bytes of a file, more than any benchmark writes. */
const MOST_BYTES = 2 ** 28;

/** Reads a file that a benchmark wrote. @throws UserError in one sentence. */
export async function readSamplesFile(path: string): Promise<SamplesFile> {
  const bytes = await readBytes(path);
  if (bytes.length > MOST_BYTES) {
    throw new UserError(`${path} has ${bytes.length} bytes, expected at most ${MOST_BYTES}`);
  }
  return readSamples(new TextDecoder().decode(bytes), path);
}
