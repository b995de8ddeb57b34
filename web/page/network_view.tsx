/** The network as a place: its layers, and an atlas of what the units of one want to see. */
import { Atlas } from "./atlas.tsx";
import { find } from "./deeds.ts";
import { KeptModels } from "./kept_models.tsx";
import { opened, openLayer } from "./state.ts";

/** The layers as a table. */
export function NetworkView() {
  const chosen = openLayer.value;
  const pair = opened.value;
  if (!pair) return null;
  const { classifier: { name, layers, bytes } } = pair;
  const across = (pair: readonly number[]) => pair[0] === pair[1] ? `${pair[0]}` : pair.join(" × ");
  return (
    <section class="network" aria-labelledby="network-name">
      <h2 class="title" id="network-name">{name}</h2>
      <p class="quiet">
        {layers.length} layers, {(bytes / 1e6).toFixed(1)} MB of weights. A layer opens as an atlas of its units.
      </p>
      <div class="wide">
        <table>
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col">Type</th>
              <th scope="col">Shape</th>
              <th scope="col">Sees, pixels</th>
            </tr>
          </thead>
          <tbody>
            {layers.map(({ name, type, shape, target, field }) => (
              <tr key={name}>
                <th scope="row">
                  {target !== undefined && type !== "input"
                    ? (
                      <button
                        type="button"
                        class="link"
                        aria-expanded={chosen === target}
                        onClick={() => openLayer.value = target}
                      >
                        {name}
                      </button>
                    )
                    : name}
                </th>
                <td>{type}</td>
                <td>{shape.join(" × ")}</td>
                <td>{field ? across(field.size) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <KeptModels />
      {chosen !== undefined && (
        <Atlas
          key={chosen}
          layer={chosen}
          open={(unit) => void find({ layer: chosen, units: [unit], seeds: [0] })}
        />
      )}
    </section>
  );
}
