/**
 * Text from files on its way to a terminal. What a file says is data: control characters in it could move the cursor, set
 * the window's title or empty the screen (ESC ]0;… BEL, ESC [2J), and bidirectional ones make a line read otherwise than
 * it is (U+202E).
 */

/** Line ends and tabs, wherever Unicode has them. */
const blanks = /[\t-\r\x85\p{Zl}\p{Zp}]+/gu;

/** All control and bidirectional characters, and the two that end lines or paragraphs. */
const unprintable = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** A text as one line that does nothing to a terminal but show: line ends become blanks, other such characters "�". */
export const printable = (text: string): string => text.replace(blanks, " ").replace(unprintable, "\ufffd");

/** A value as JSON that is printable and still the same: such characters are escaped. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value).replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
