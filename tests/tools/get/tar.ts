import { joinBytes } from "../../../src/formats/bytes.ts";

/** A tar archive of these files, as tar would write it. */
export function tar(files: Record<string, Uint8Array>): Uint8Array {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const header = new Uint8Array(512);
    const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
    put(0, name);
    put(100, "0000644\0");
    put(124, content.length.toString(8).padStart(11, "0"));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(148, header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0") + "\0");
    return [header, content, new Uint8Array((512 - content.length % 512) % 512)];
  });
  return joinBytes([...blocks, new Uint8Array(1024)]);
}
