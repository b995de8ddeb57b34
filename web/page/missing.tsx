/** What there is to see without WebGPU. */
import { failure } from "./state.ts";

/** Which browsers have it, and pictures that were made beforehand. */
export function Missing() {
  return (
    <section class="alone">
      <h2 class="title">This browser gives pages no GPU</h2>
      <p>
        Phosphene computes by WebGPU. Chrome and Edge have it from 113 (on Linux from 144, or with a flag), Safari from
        26, Firefox from 141 on Windows and from 145 on Macs with Apple’s chips.
      </p>
      {failure.value && <p class="quiet">{failure.value}</p>}
      <p>These were made beforehand, by the same networks that the page would load:</p>
      <img
        class="gallery"
        src="gallery.png"
        alt="What six units of a classifier want to see, among them a bell pepper"
      />
    </section>
  );
}
