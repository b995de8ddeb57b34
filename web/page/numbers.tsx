/** The numbers of the search: they act at once, on the search on its way. */
import type { Wishes } from "../engine/messages.ts";
import { find, steer, usual } from "./deeds.ts";
import { opened, smooth, wanted } from "./state.ts";

/** A number with its range; where `log` says so, equal steps of the slider multiply. */
interface Slider {
  name: "lrStart" | "decay" | "iterations" | "sigmas";
  label: string;
  help: string;
  least: number;
  most: number;
  step: number;
  log?: true;
}

const sliders: Slider[] = [
  { name: "lrStart", label: "Rate", help: "how far a step goes", least: 0.05, most: 64, step: 0.01, log: true },
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
  },
];

/** All of them, and the way back to the paper's. */
export function Numbers() {
  const now = wanted.value?.wishes, pair = opened.value;
  if (!now || !pair) return null;
  const usualOnes = { ...pair.settings, sigmas: pair.sigmas };
  const changed = (Object.keys(usualOnes) as (keyof Wishes)[]).some((name) => usualOnes[name] !== now[name]);
  return (
    <>
      {sliders.filter(({ name }) => now[name] !== undefined).map((slider) => (
        <NumberField key={slider.name} slider={slider} value={now[slider.name]!} />
      ))}
      <label class="field">
        <span>Rule</span>
        <select
          value={now.rule}
          onChange={({ currentTarget }) => {
            const rule = currentTarget.value as Wishes["rule"];
            void steer({ rule, lrStart: rule === "adam" ? 0.5 : pair.settings.lrStart });
          }}
        >
          <option value="paper">the paper’s</option>
          <option value="adam">Adam</option>
        </select>
      </label>
      <label class="field">
        <span>Target, in place of a unit</span>
        <input
          type="text"
          placeholder="945 - 0.001*variation(data)"
          autocomplete="off"
          spellcheck={false}
          value={wanted.value?.target ?? ""}
          onChange={({ currentTarget: { value } }) => void find({ target: value.trim() || undefined })}
        />
      </label>
      <button type="button" disabled={!changed} onClick={() => void usual()}>The paper’s values</button>
      <label class="check">
        <input
          type="checkbox"
          checked={smooth.value}
          onChange={({ currentTarget }) => smooth.value = currentTarget.checked}
        />
        Smooth pixels
      </label>
    </>
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
