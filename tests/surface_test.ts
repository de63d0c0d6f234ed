import { assertEquals } from "@std/assert";
import { exportsOf } from "./module_syntax.ts";

/** The repository. */
const ROOT = new URL("../", import.meta.url);

/** The committed names of every entry point that is a library. */
const SURFACE = new URL("surface.json", import.meta.url);

const ENTRY_POINTS = ["mod.ts", "src/checkpoint/mod.ts"];

// `deno test -R -W tests/surface_test.ts -- --update` writes the names as they are now.
if (Deno.args.includes("--update")) {
  const surface = Object.fromEntries(ENTRY_POINTS.map((path) => [path, read(path)]));
  Deno.writeTextFileSync(SURFACE, `${JSON.stringify(surface, null, 2)}\n`);
}

for (const path of ENTRY_POINTS) {
  Deno.test(`${path} exports the names in surface.json and no others`, () => {
    const surface = JSON.parse(Deno.readTextFileSync(SURFACE));
    assertEquals(read(path), surface[path]);
  });

  Deno.test(`${path} has at run time the values it names`, async () => {
    const module: object = await import(new URL(path, ROOT).href);
    assertEquals(Object.keys(module).sort(), [...read(path).values]);
  });
}

function read(path: string) {
  return exportsOf(path, Deno.readTextFileSync(new URL(path, ROOT)));
}
