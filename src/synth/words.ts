/** Words of a command line that asks for a search. */
import { allows, optionOf, settingNames, type Settings } from "./settings.ts";

/** A word for a shell. */
export const quoted = (word: string): string =>
  /^[\w./:,@=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** The options of the settings that are not the usual ones; what nobody can ask for stands where nobody asks. */
export const settingWords = (settings: Partial<Settings>, usual: Settings): string[] =>
  settingNames.filter((name) => settings[name] !== usual[name] && allows(name, settings[name]))
    .map((name) => `--${optionOf(name)} ${settings[name]}`);
