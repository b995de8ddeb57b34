/** A unit, found by typing: a combobox after the ARIA Authoring Practices, and the units that are searched together. */
import { signal, useComputed, useSignal } from "@preact/signals";
import type { ModelInfo } from "../engine/messages.ts";
import { find } from "./deeds.ts";
import { firstUnit, opened, wanted } from "./state.ts";

/** Units that are offered at a time, and that one search takes. */
const OFFERED = 40;
const MOST = 16;

interface Offer {
  unit: number;
  name: string;
  trained: boolean;
}

/** The units of the layer whose number or name has the text, trained ones first. */
function offers({ labels, trained, layers, layer: own }: ModelInfo, layer: string | undefined, text: string): Offer[] {
  const name = layer ?? own;
  const { units = 0 } = layers.find(({ target }) => target === name) ?? {};
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const labelled = name === own;
  const found: Offer[] = [];
  for (let unit = 0; unit < units; unit++) {
    const label = labelled && labels[unit] ? labels[unit] : `unit ${unit}`;
    const all = `${unit} ${label.toLowerCase()}`;
    if (!words.every((word) => all.includes(word))) continue;
    const isTrained = !labelled || (trained?.some(([first, last]) => unit >= first && unit <= last) ?? true);
    found.push({ unit, name: label, trained: isTrained });
  }
  return found.sort((a, b) => Number(b.trained) - Number(a.trained)).slice(0, OFFERED);
}

/** Whether the next unit comes beside those that are there. */
const adding = signal(false);

/** The line to type in, and what is chosen. */
export function Finder() {
  const text = useSignal("");
  const open = useSignal(false);
  const active = useSignal(0);
  const list = useComputed(() => opened.value ? offers(opened.value.classifier, wanted.value?.layer, text.value) : []);
  const choose = (offer: Offer | undefined, beside: boolean) => {
    if (!offer) return;
    const { units = [], seeds = [0], together } = wanted.value ?? {};
    adding.value = false;
    const all = beside && !units.includes(offer.unit) ? [...units, offer.unit] : beside ? units : [offer.unit];
    open.value = false;
    text.value = "";
    const most = together ? MOST : Math.max(1, Math.floor(MOST / seeds.length));
    void find({ units: all.slice(0, most) });
  };
  const keys: Record<string, (event: KeyboardEvent) => void> = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: (event) => choose(list.value[active.value], event.shiftKey || adding.value),
    Escape: () => open.value = false,
  };
  const move = (by: number) => {
    const { length } = list.value;
    active.value = open.value && length > 0 ? (active.value + by + length) % length : 0;
    open.value = true;
    document.getElementById(`unit-${active.value}`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <div class="finder">
      <div class="combobox">
        <input
          type="search"
          role="combobox"
          aria-label="Find a unit by its name or number"
          aria-expanded={open.value}
          aria-controls="units"
          aria-autocomplete="list"
          aria-describedby="finder-hint"
          aria-activedescendant={open.value && list.value.length > 0 ? `unit-${active.value}` : undefined}
          placeholder="Find a unit: pepper, 207…"
          autocomplete="off"
          spellcheck={false}
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
            active.value = 0;
            open.value = true;
          }}
          onFocus={() => open.value = true}
          onBlur={() => open.value = false}
          onKeyDown={(event) => {
            if (!(event.key in keys)) return;
            event.preventDefault();
            keys[event.key](event);
          }}
        />
        <div class="offers" hidden={!open.value}>
          <ul id="units" role="listbox" aria-label="Units">
            {list.value.map((offer, n) => (
              <li
                key={offer.unit}
                id={`unit-${n}`}
                role="option"
                aria-selected={n === active.value}
                class={offer.trained ? undefined : "untrained"}
                onPointerDown={(event) => {
                  event.preventDefault();
                  choose(offer, event.shiftKey || adding.value);
                }}
              >
                <span class="number">{offer.unit}</span>
                <span>{offer.name}</span>
                {!offer.trained && <span class="quiet">not trained</span>}
              </li>
            ))}
            {list.value.length === 0 && (
              <li role="option" aria-selected={false} aria-disabled="true">No unit has this in its name.</li>
            )}
          </ul>
          <p id="finder-hint" class="quiet">
            {adding.value
              ? "Comes beside those that are there."
              : "Shift with Enter or a click draws it beside those that are there."}{" "}
            Sums of units and layers: More › Target.
          </p>
        </div>
      </div>
      <Chosen />
    </div>
  );
}

/** What is searched together, and with how many seeds. */
function Chosen() {
  const { layer, units = [], together, seeds = [0], target } = wanted.value ?? {};
  const info = opened.value?.classifier;
  if (!info) return null;
  const named = (unit: number) => (layer ?? info.layer) === info.layer && info.labels[unit] || `unit ${unit}`;
  const several = Math.max(1, Math.floor(MOST / (together ? 1 : Math.max(1, units.length))));
  // An address or a record may have named any number of them.
  const counts = [...new Set([1, 2, 4, 9, 16, seeds.length])]
    .filter((count) => count <= several || count === seeds.length)
    .sort((a, b) => a - b);
  return (
    <div class="chosen">
      {layer !== undefined && layer !== info.layer && target === undefined && (
        <button
          type="button"
          class="chip"
          onClick={() => void find({ layer: undefined, units: [firstUnit(opened.value!)] })}
        >
          layer {layer} <span aria-hidden="true">×</span>
          <span class="unseen">, back to the last layer</span>
        </button>
      )}
      {target !== undefined && (
        <button type="button" class="chip" onClick={() => void find({ units })}>
          {target} <span aria-hidden="true">×</span>
          <span class="unseen">, back to the units</span>
        </button>
      )}
      {target === undefined && units.length > 1 && units.map((unit) => (
        <button
          type="button"
          class="chip"
          key={unit}
          onClick={() => void find({ units: units.filter((other) => other !== unit) })}
        >
          {named(unit)} <span aria-hidden="true">×</span>
          <span class="unseen">, take away</span>
        </button>
      ))}
      {target === undefined && units.length > 0 && (
        <button
          type="button"
          class="chip"
          aria-pressed={adding.value}
          onClick={() => {
            adding.value = !adding.value;
            if (adding.value) document.querySelector<HTMLElement>(".combobox input")?.focus();
          }}
        >
          + a unit
        </button>
      )}
      {target === undefined && units.length > 1 && (
        <label class="check">
          <input
            type="checkbox"
            checked={together ?? false}
            onChange={({ currentTarget: { checked } }) => {
              const most = Math.max(1, Math.floor(MOST / units.length));
              void find({ together: checked || undefined, seeds: checked ? seeds : seeds.slice(0, most) });
            }}
          />
          In one picture
        </label>
      )}
      <label class="seeds">
        Seeds
        <select
          value={seeds.length}
          onChange={({ currentTarget }) =>
            void find({ seeds: Array.from({ length: Number(currentTarget.value) }, (_, n) => seeds[0] + n) })}
        >
          {counts.map((count) => <option key={count} value={count}>{count}</option>)}
        </select>
      </label>
      <label class="seeds">
        from
        <input
          type="number"
          min={0}
          max={2 ** 32 - seeds.length}
          value={seeds[0]}
          onChange={({ currentTarget: { value, valueAsNumber } }) => {
            if (value !== "" && Number.isSafeInteger(valueAsNumber) && valueAsNumber >= 0) {
              void find({ seeds: seeds.map((_, n) => valueAsNumber + n) });
            }
          }}
        />
      </label>
    </div>
  );
}
