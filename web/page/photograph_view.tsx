/** The visitor's own photographs: what the network makes of one, what of it excites a unit, which others are near. */
import { useEffect, useRef } from "preact/hooks";
import { Camera } from "./camera.tsx";
import { Canvas } from "./canvas.tsx";
import { choose, findNearest, forget, look, looks, nearest, photograph, photographOf, photographs } from "./album.ts";
import { region, showRegion, showWhole } from "./album.ts";
import { find } from "./deeds.ts";
import { figure } from "../../src/formats/figure.ts";
import type { Ranked } from "../../src/mod.ts";
import type { Photograph } from "../engine/messages.ts";
import { opened, wanted } from "./state.ts";

/** All of it. */
export function PhotographView() {
  const seen = photograph.value;
  if (!seen) {
    return (
      <section class="alone">
        <h2 class="title">Your photographs</h2>
        <p>
          Drop pictures anywhere on this page, or open some above: the network says what it sees. They stay on this
          machine, and are kept until you close the page.
        </p>
        <Camera />
      </section>
    );
  }
  return (
    <section class="photograph">
      <div>
        <Shown seen={seen} />
        <Strip />
        <Camera />
      </div>
      <div>
        <h2 class="title">The network sees</h2>
        {seen.top ? <Top id={seen.id} top={seen.top} /> : <p class="quiet">Looking…</p>}
        {photographs.value.length > 1 && <Nearest seen={seen} />}
        <Layers seen={seen} />
      </div>
    </section>
  );
}

function Shown({ seen: { id, name, picture, top } }: { seen: Photograph }) {
  const marked = region.value;
  const figure = useRef<HTMLElement>(null);
  // What was pressed may lie far below.
  useEffect(() => {
    if (marked) figure.current?.scrollIntoView({ block: "nearest" });
  }, [marked]);
  return (
    <figure ref={figure}>
      <Canvas
        picture={marked?.picture ?? picture}
        label={marked ? `What of ${name} excites “${marked.title}”` : `${name}, as the network is shown it`}
      />
      <figcaption class="caption">
        {marked
          ? `What of ${name} excites “${marked.title}”: hidden parts took most away where it is light. `
          : `${name} `}
        {marked && <button type="button" class="link" onClick={showWhole}>Show all of it</button>}
        {!marked && top && <button type="button" class="link" onClick={() => void forget(id)}>Take it away</button>}
      </figcaption>
    </figure>
  );
}

/** All photographs of the visit, small. */
function Strip() {
  const own = photograph.value?.id;
  if (photographs.value.length < 2) return null;
  return (
    <ul class="strip" aria-label="Your photographs">
      {photographs.value.map((one) => (
        <li key={one.id}>
          <Small one={one} pressed={one.id === own} />
        </li>
      ))}
    </ul>
  );
}

/** A photograph to press; `told` stands below it. */
export function Small(
  { one: { id, name, picture }, pressed, told, onClick = () => choose(id) }: {
    one: Photograph;
    pressed?: boolean;
    told?: string;
    onClick?: () => void;
  },
) {
  return (
    <button type="button" class="small" aria-pressed={pressed} onClick={onClick}>
      <Canvas picture={picture} label={name} />
      {told && <span class="caption">{told}</span>}
    </button>
  );
}

/** What `photograph` shows of a unit: the search for it, and where it is in the picture. */
function UnitLinks(
  { id, layer, unit, name }: { id: number; layer: string | undefined; unit: number; name: string },
) {
  return (
    <>
      <button type="button" class="link" onClick={() => void find({ layer, units: [unit], seeds: [0] })}>{name}</button>
      {" "}
      <button
        type="button"
        class="link quiet"
        aria-label={`where it sees ${name}`}
        onClick={() => void showRegion(id, layer, unit, layer === undefined ? name : `${name} of ${layer}`)}
      >
        where
      </button>
    </>
  );
}

/** Why what draws has no code for a photograph, where it has none. */
function whyNot(): string | undefined {
  const prior = wanted.value?.wishes.prior;
  if (prior === "pixels" || prior === "learned" && opened.value?.inverts) return undefined;
  const what = prior === "learned"
    ? `${opened.value?.generator.name} has no code for it`
    : `${prior} begins from noise`;
  return `The search cannot start from it, for ${what}. Choose a method of pixels there, under “Drawn by”.`;
}

function Top({ id, top }: { id: number; top: Ranked[] }) {
  const reason = whyNot();
  return (
    <>
      <ol class="ranked">
        {top.map(({ unit, name, activation }) => (
          <li key={unit}>
            <span>
              <UnitLinks id={id} layer={undefined} unit={unit} name={name} />
            </span>
            <output>{figure(activation, 1)}</output>
          </li>
        ))}
      </ol>
      <div class="buttons">
        <button
          type="button"
          class="main"
          disabled={reason !== undefined}
          aria-describedby={reason && "why-not"}
          onClick={() => {
            const { units = [] } = wanted.value ?? {};
            void find({ from: id, units: units.length ? units : [top[0].unit], seeds: [0] });
          }}
        >
          Start the search from this
        </button>
        <button type="button" onClick={() => void look(id)}>The strongest units of each layer</button>
      </div>
      {reason && <p id="why-not" class="quiet">{reason}</p>}
    </>
  );
}

function Layers({ seen: { id } }: { seen: Photograph }) {
  const { layer: last, layers, labels } = opened.value!.classifier;
  return (
    <>
      {looks.value.map(({ layer, units }) => {
        const [, height = 1, width = 1] = layers.find(({ blob }) => blob === layer)?.shape ?? [];
        return (
          <div key={layer} class="look">
            <h2>{layer}</h2>
            <ul>
              {units.map(({ unit, activation, at }) => (
                <li key={unit}>
                  <UnitLinks
                    id={id}
                    layer={layer}
                    unit={unit}
                    name={layer === last && labels[unit] || `unit ${unit}`}
                  />{" "}
                  <span class="quiet">{figure(activation, 1)}{height * width > 1 && ` at ${at.join(", ")}`}</span>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </>
  );
}

/** What pixels are called among the layers. */
const PIXELS = "";

function Nearest({ seen: { id } }: { seen: Photograph }) {
  const { layers = [] } = opened.value?.classifier ?? {};
  const found = nearest.value;
  const names = new Set(
    layers.filter(({ type, target }) => target !== undefined && type !== "input").map((one) => one.blob),
  );
  return (
    <div class="nearest">
      <label class="seeds">
        <h2>Nearest</h2>
        <select
          value={found ? found.layer ?? PIXELS : "none"}
          onChange={({ currentTarget: { value } }) => void findNearest(id, value === PIXELS ? undefined : value)}
        >
          {!found && <option value="none">choose by what</option>}
          <option value={PIXELS}>in pixels</option>
          {[...names].reverse().map((name) => <option key={name} value={name}>to {name}</option>)}
        </select>
      </label>
      <ul class="strip">
        {found?.found.map(({ photograph, distance }) => {
          const one = photographOf(photograph);
          return one && (
            <li key={photograph}>
              <Small one={one} told={`${Number(distance.toPrecision(3))}`} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
