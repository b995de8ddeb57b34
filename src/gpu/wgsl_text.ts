/** WGSL as a person would set it: one statement a line, indented by braces, a blank line around each function. */

/** Sets WGSL anew; only white space changes. */
export function formatWgsl(source: string): string {
  const lines: string[] = [];
  let line = "";
  let depth = 0;
  let parens = 0;
  const close = () => {
    const text = line.trim();
    line = "";
    if (!text) return;
    const before = lines.at(-1) ?? "";
    const opens = depth === 0 && text !== "}" && (before.startsWith("}") || /^(@compute\b|fn |struct )/.test(text)) &&
      !/^(@compute|\/\/)/.test(before);
    if (opens && lines.length > 0) lines.push("");
    lines.push("  ".repeat(depth) + text);
  };
  for (const [piece] of source.matchAll(/\/\/[^\n]*|\s+|[(){};]|[^\s(){};/]+|\//g)) {
    if (piece.startsWith("//")) {
      line += piece;
      close();
    } else if (/^\s/.test(piece)) {
      // Declarations, comments and members keep their own lines; elsewhere a line ends with its statement.
      if (piece.includes("\n") && parens === 0 && (depth === 0 || line.endsWith(","))) close();
      else if (line && !line.endsWith(" ")) line += " ";
    } else if (piece === "{") {
      line += piece;
      close();
      depth++;
    } else if (piece === "}") {
      close();
      depth--;
      line = piece;
    } else if (piece === ";" && parens === 0) {
      line += piece;
      close();
    } else {
      if (line === "}" || line === "} ") {
        if (piece === "else") line = "} ";
        else close();
      }
      parens += piece === "(" ? 1 : piece === ")" ? -1 : 0;
      line += piece;
    }
  }
  close();
  return lines.join("\n") + "\n";
}
