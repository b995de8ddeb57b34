/** `deno task web:screenshots`: the page's main views in out/web, dark and light, 1440 and 360 pixels wide. */
import { join } from "node:path";
import { iterationOf, openSite, until } from "./browser.ts";
import { given } from "./networks.ts";
import { slide } from "./person.ts";

/** An iteration whose picture is worth a screenshot, and how long a slow machine may take. */
const ITERATION = 61;
const PATIENCE = 600_000;

const folder = join(import.meta.dirname!, "../../out/web");
await Deno.mkdir(folder, { recursive: true });
await using site = await openSite({ height: 1000 });
const { page } = site;

/** The view that is shown, in all four ways. */
async function shoot(name: string): Promise<void> {
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: width === 360 ? 780 : 1000 });
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(folder, `${name}_${width}_${colorScheme}.png`), fullPage: true });
    }
  }
}

await until(() => iterationOf(page), (iteration) => iteration > ITERATION, PATIENCE);
await page.getByRole("button", { name: "Pause" }).click();
// The one that was on its way still comes.
await slide(page, "Iteration that is shown", ITERATION);
await shoot("search");
const pictures = ["gallery.png", "methods.png", "page.png"].map((name) =>
  given(name, Deno.readFileSync(join(import.meta.dirname!, "../../docs/images", name)))
);
await page.locator("input[type=file]").setInputFiles(pictures);
await until(() => page.locator(".strip li").count(), (count) => count === pictures.length, PATIENCE);
await page.getByRole("button", { name: /^where it sees/ }).first().click();
await until(() => page.getByText(/hidden parts took most away/).count(), (count) => count === 1, PATIENCE);
await shoot("photographs");
await page.getByRole("button", { name: "Network" }).click();
await page.getByRole("button", { name: "conv5", exact: true }).click();
await until(() => page.locator(".atlas img").count(), (count) => count >= 8, PATIENCE);
await shoot("network");
