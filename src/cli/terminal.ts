/**
 * Pictures in a terminal: each character is a half block, whose two halves are two pixels, one above the other.
 */
import type { Image } from "../formats/image.ts";

/** What decides whether 24-bit colours can be shown. */
export interface Terminal {
  isTerminal: boolean;
  colorterm?: string;
  noColor?: string;
  term?: string;
}

/** Whether a terminal says that it shows 24-bit colours, and nobody asked for none. */
export function showsColours({ isTerminal, colorterm, noColor, term }: Terminal): boolean {
  return isTerminal && !noColor && term !== "dumb" && /^(truecolor|24bit)$/.test(colorterm ?? "");
}

/** Whether stderr shows 24-bit colours. */
export function stderrShowsColours(): boolean {
  return showsColours({
    isTerminal: Deno.stderr.isTerminal(),
    colorterm: Deno.env.get("COLORTERM"),
    noColor: Deno.env.get("NO_COLOR"),
    term: Deno.env.get("TERM"),
  });
}

/** A picture as lines of half blocks with colour codes, shrunk by a whole factor until it fits `columns`. */
export function halfBlocks(picture: Image, columns: number): string {
  const factor = Math.ceil(picture.width / columns);
  const width = Math.floor(picture.width / factor);
  const height = Math.floor(picture.height / factor);
  let text = "";
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x++) {
      text += `\x1b[38;2;${mean(picture, x, y, factor)}m`;
      text += y + 1 < height ? `\x1b[48;2;${mean(picture, x, y + 1, factor)}m▀` : "▀";
    }
    text += "\x1b[0m\n";
  }
  return text;
}

/** Mean colour of a block of factor × factor pixels, as colour codes write it: "r;g;b". */
function mean({ width, rgb }: Image, x: number, y: number, factor: number): string {
  const sum = [0, 0, 0];
  for (let row = y * factor; row < (y + 1) * factor; row++) {
    for (let column = x * factor; column < (x + 1) * factor; column++) {
      for (let c = 0; c < 3; c++) sum[c] += rgb[3 * (row * width + column) + c];
    }
  }
  return sum.map((total) => Math.round(total / factor ** 2)).join(";");
}
