/** Words of a command line that asks for a search. */
import { optionOf, settingNames, type Settings } from "./settings.ts";

/** A word for a shell. */
export const quoted = (word: string): string =>
  /^[\w./:,@=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** The options of the settings that are not the usual ones. */
export const settingWords = (settings: Partial<Settings>, usual: Settings): string[] =>
  settingNames.filter((name) => settings[name] !== usual[name]).map((name) => `--${optionOf(name)} ${settings[name]}`);
