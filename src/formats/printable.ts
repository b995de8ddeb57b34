/**
 * Text from files on its way to a terminal. What a file says is data: control characters in it could move the cursor, set
 * the window's title or empty the screen (ESC ]0;… BEL, ESC [2J), and bidirectional ones make a line read otherwise than
 * it is (U+202E).
 */

/** Control characters, line ends and tabs among them, and Unicode's own ends of lines and paragraphs. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
const bidirectional = /\p{Bidi_Control}/gu;

/** All of these. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** A text as one line that does nothing to a terminal but show: controls become a blank, bidirectional characters "�". */
export const printable = (text: string): string => text.replace(controls, " ").replace(bidirectional, "\ufffd");

/** A value as JSON that is printable and still the same: such characters are escaped. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value).replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
