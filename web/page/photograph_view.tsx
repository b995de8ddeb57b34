/** The visitor's own photograph: what the network makes of it, layer by layer, and the search that starts from it. */
import { Canvas } from "./canvas.tsx";
import { find, look } from "./deeds.ts";
import { looks, photograph, wanted } from "./state.ts";

/** All of it. */
export function PhotographView() {
  const seen = photograph.value;
  if (!seen) {
    return (
      <section class="alone">
        <h2 class="title">Your photograph</h2>
        <p>
          Drop a picture anywhere on this page, or open one above: the network says what it sees. It stays on this
          machine.
        </p>
      </section>
    );
  }
  const { name, picture, top, starts } = seen;
  return (
    <section class="photograph">
      <figure>
        <Canvas picture={picture} label={`${name}, as the network is shown it`} />
        <figcaption class="caption">{name}</figcaption>
      </figure>
      <div>
        <h2 class="title">The network sees</h2>
        <ol class="ranked">
          {top.map(({ unit, name, activation }) => (
            <li key={unit}>
              <button
                type="button"
                class="link"
                onClick={() => void find({ layer: undefined, units: [unit], seeds: [0] })}
              >
                {name}
              </button>
              <output>{activation.toFixed(1)}</output>
            </li>
          ))}
        </ol>
        <div class="buttons">
          {starts && (
            <button
              type="button"
              class="main"
              onClick={() =>
                void find({
                  from: "photograph",
                  units: wanted.value?.units.length ? wanted.value.units : [top[0].unit],
                  seeds: [0],
                })}
            >
              Start the search from this
            </button>
          )}
          <button type="button" onClick={() => void look()}>The strongest units of each layer</button>
        </div>
        {looks.value.map(({ layer, units }) => (
          <div key={layer} class="look">
            <h2>{layer}</h2>
            <ul>
              {units.map(({ unit, activation, at }) => (
                <li key={unit}>
                  <button type="button" class="link" onClick={() => void find({ layer, units: [unit], seeds: [0] })}>
                    unit {unit}
                  </button>{" "}
                  <span class="quiet">{activation.toFixed(1)} at {at.join(", ")}</span>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </section>
  );
}
