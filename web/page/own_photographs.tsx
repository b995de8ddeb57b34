/** What of the visitor's own photographs excites the unit that is searched for. */
import { figure } from "../../src/formats/figure.ts";
import { best, choose, findBest, photographOf, photographs, showRegion } from "./album.ts";
import { Small } from "./photograph_view.tsx";
import { started, wanted } from "./state.ts";

/** The strongest of them, to look at closer. */
export function OwnPhotographs() {
  const { layer, units: [unit, ...others] = [], target } = wanted.value ?? {};
  const found = best.value;
  if (photographs.value.length === 0 || unit === undefined || others.length > 0 || target !== undefined) return null;
  const title = started.value?.titles[0] ?? `unit ${unit}`;
  const known = found?.unit === unit && found.layer === layer;
  return (
    <div>
      <h2>Your photographs</h2>
      {known
        ? (
          <ul class="strip">
            {found.found.map(({ photograph, activation }) => {
              const one = photographOf(photograph);
              const open = () => {
                choose(photograph);
                void showRegion(photograph, layer, unit, title);
              };
              return one && (
                <li key={photograph}>
                  <Small one={one} told={figure(activation, 1)} onClick={open} />
                </li>
              );
            })}
          </ul>
        )
        : (
          <button type="button" onClick={() => void findBest(layer, unit)}>
            {photographs.value.length === 1 ? "How much yours excites it" : "Which of yours excite it most"}
          </button>
        )}
    </div>
  );
}
