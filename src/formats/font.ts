/**
 * Captions in a fixed 5 × 7 pixel font, drawn straight into a picture's bytes.
 *
 * The glyphs come as data: five bytes a character, one per column, the lowest bit at the top.
 */
import font from "oled-font-5x7";
import type { Image } from "./image.ts";

/** Rows of a glyph. */
export const glyphHeight: number = font.height;

/** Columns from one character to the next. */
const advance = font.width + 1;

/** Width of a line of text in pixels. */
export const textWidth = (text: string): number => Math.max(0, text.length * advance - 1);

/**
 * Breaks text into lines of at most `width` pixels: between words, or inside a word that is too long for a line. What does
 * not fit `maxLines` ends in "...". Characters outside the font lose their accents, or become "?".
 */
export function wrapText(text: string, width: number, maxLines: number): string[] {
  const perLine = Math.max(4, Math.floor((width + 1) / advance));
  const words = toFont(text).split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${perLine}}`, "g")) ?? []);
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= perLine) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  if (lines.length <= maxLines) return lines;
  return [...lines.slice(0, maxLines - 1), lines[maxLines - 1].slice(0, perLine - 3) + "..."];
}

/** Writes one line of text in black, its top left corner at (left, top); what lies outside the picture is cut off. */
export function writeText(image: Image, text: string, left: number, top: number): void {
  [...text].forEach((letter, i) => {
    const glyph = font.width * font.lookup.indexOf(letter);
    for (let column = 0; column < font.width; column++) {
      for (let row = 0; row < font.height; row++) {
        const [x, y] = [left + i * advance + column, top + row];
        const inside = x >= 0 && x < image.width && y >= 0 && y < image.height;
        if (inside && font.fontData[glyph + column] >> row & 1) {
          const at = 3 * (y * image.width + x);
          image.rgb.fill(0, at, at + 3);
        }
      }
    }
  });
}

const toFont = (text: string) =>
  [...text.normalize("NFKD").replace(/\p{M}/gu, "")]
    .map((letter) => /\s/.test(letter) || font.lookup.includes(letter) ? letter : "?").join("");
