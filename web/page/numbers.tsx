/** The numbers of the search: they act at once, on the search on its way. */
import { defaultsOf, settings } from "../../src/synth/settings.ts";
import type { MethodName } from "../../src/mod.ts";
import type { Opened, Wanted, Wishes } from "../engine/messages.ts";
import { drawBy, find, steer, usual } from "./deeds.ts";
import { opened, smooth, usualWishes, wanted } from "./state.ts";

/** A number with its range; where `log` says so, equal steps of the slider multiply. */
interface Slider {
  name: "lrStart" | "decay" | "iterations" | "sigmas" | "gamma" | "variation" | "blur";
  label: string;
  help: string;
  least: number;
  most: number;
  step: number;
  log?: true;
  /** Where it does anything; everywhere unless given. */
  when?(wanted: Wanted): boolean;
}

const sliders: Slider[] = [
  { name: "lrStart", label: "Rate", help: "how far a step goes", least: 0.01, most: 64, step: 0.01, log: true },
  {
    name: "decay",
    label: "Decay",
    help: "what the code is multiplied by after each step",
    least: 0.8,
    most: 1,
    step: 0.001,
  },
  { name: "iterations", label: "Iterations", help: "steps of the search", least: 10, most: 1000, step: 10 },
  {
    name: "sigmas",
    label: "Bounds",
    help: "deviations above its mean that the code may go",
    least: 0.25,
    most: 8,
    step: 0.25,
    when: ({ wishes }) => wishes.sigmas > 0,
  },
  {
    name: "gamma",
    label: "Balance, γ",
    help: "what it costs when one of the units is ahead of another",
    least: 0,
    most: 1,
    step: 0.01,
    when: ({ together, target }) => together === true && target === undefined,
  },
];

/** Those that few ask for. */
const furtherSliders: Slider[] = [
  {
    name: "variation",
    label: "Smoothness",
    help: "what differences between neighbouring pixels cost",
    least: 0,
    most: 200,
    step: 1,
  },
  {
    name: "blur",
    label: "Blur",
    help: "pixels that the picture is blurred by every few steps",
    least: 0,
    most: 3,
    step: 0.1,
    when: ({ wishes }) => wishes.prior === "pixels",
  },
];

/** All of them, and the way back to the paper's. */
export function Numbers() {
  const now = wanted.value;
  const pair = opened.value;
  if (!now || !pair) return null;
  const usualOnes = usualWishes(pair, now.method);
  const names = Object.keys(usualOnes) as (keyof Wishes)[];
  const changed = names.some((name) => usualOnes[name] !== now.wishes[name]);
  const fields = (all: readonly Slider[]) =>
    all.filter(({ when }) => when?.(now) ?? true).map((slider) => (
      <NumberField key={slider.name} slider={slider} value={now.wishes[slider.name]!} />
    ));
  return (
    <>
      <Method pair={pair} method={now.method} />
      {fields(sliders)}
      <button type="button" disabled={!changed} onClick={() => void usual()}>
        {now.method === undefined ? "The paper’s values" : "The method’s values"}
      </button>
      <label class="check">
        <input
          type="checkbox"
          checked={smooth.value}
          onChange={({ currentTarget }) => smooth.value = currentTarget.checked}
        />
        Smooth pixels
      </label>
      <details class="more">
        <summary>More</summary>
        <div>
          <label class="field">
            <span>Target, in place of a unit</span>
            <input
              type="text"
              placeholder="945 - 0.001*variation(data)"
              autocomplete="off"
              spellcheck={false}
              value={now.target ?? ""}
              onChange={({ currentTarget: { value } }) => void find({ target: value.trim() || undefined })}
            />
          </label>
          <label class="field">
            <span>Rule</span>
            <select
              value={now.wishes.rule}
              onChange={({ currentTarget }) => {
                const rule = currentTarget.value as Wishes["rule"];
                const { rule: own, lrStart } = usualOnes;
                const rate = rule === own ? lrStart : defaultsOf({ prior: now.wishes.prior, rule }).lrStart;
                void steer({ rule, lrStart: rate });
              }}
            >
              {settings.rule.kind === "word" &&
                settings.rule.words.map((word) => (
                  <option key={word} value={word}>{word === "paper" ? "the paper’s" : word}</option>
                ))}
            </select>
          </label>
          {fields(furtherSliders)}
        </div>
      </details>
    </>
  );
}

/** What stands for the generator among the methods. */
const GENERATOR = "";

/** What draws the picture. */
function Method({ pair: { generator, methods }, method }: { pair: Opened; method: MethodName | undefined }) {
  const others = Object.entries(methods).filter(([, { settings }]) => settings.prior !== "learned");
  return (
    <label class="field whole">
      <span>Drawn by</span>
      <select
        value={others.some(([name]) => name === method) ? method : GENERATOR}
        onChange={({ currentTarget: { value } }) => void drawBy(value === GENERATOR ? undefined : value as MethodName)}
      >
        <option value={GENERATOR}>{generator.name}, a generator</option>
        {others.map(([name, { help }]) => <option key={name} value={name}>{help}</option>)}
      </select>
    </label>
  );
}

function NumberField(
  { slider: { name, label, help, least, most, step, log }, value }: { slider: Slider; value: number },
) {
  const place = (number: number) => log ? Math.log(number) : number;
  const rounded = (number: number) => Number((Math.round(number / step) * step).toPrecision(6));
  return (
    <label class="field" title={help}>
      <span>{label}</span>
      <output>{value}</output>
      <input
        type="range"
        min={place(least)}
        max={place(most)}
        step={log ? "any" : step}
        value={place(value)}
        aria-valuetext={`${value}, ${help}`}
        onInput={({ currentTarget: { valueAsNumber } }) =>
          void steer({ [name]: rounded(log ? Math.exp(valueAsNumber) : valueAsNumber) })}
      />
    </label>
  );
}
