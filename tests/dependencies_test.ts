import { assert, assertEquals, assertThrows } from "@std/assert";
import { exportsOf, importsOf } from "./module_syntax.ts";

/** The repository. */
const ROOT = new URL("../", import.meta.url);

/** What is shipped and written by hand. */
const SHIPPED = ["mod.ts", ...listFiles("src")];

/** The one package that is shipped with, and the one file that may import it. */
const COMMAND_LINE = { file: "src/cli.ts", package: "@std/cli" } as const;

Deno.test("src/ imports no package, and what Node has only where it runs", () => {
  const strangers: string[] = [];
  for (const file of SHIPPED) {
    for (const { specifier, dynamic } of importsOf(file, Deno.readTextFileSync(new URL(file, ROOT)))) {
      if (isOurs(specifier, file)) continue;
      // A static import of a Node built-in would keep the whole module out of a browser.
      if (specifier.startsWith("node:") && dynamic) continue;
      if (file === COMMAND_LINE.file && specifier === COMMAND_LINE.package) continue;
      strangers.push(`${file}: ${specifier}`);
    }
  }
  assertEquals(strangers, []);
});

Deno.test("the look for imports finds imports", () => {
  const files = new Set(SHIPPED.flatMap((file) => {
    const imports = importsOf(file, Deno.readTextFileSync(new URL(file, ROOT)));
    return imports.some(({ specifier }) => specifier.startsWith(".")) ? [file] : [];
  }));
  assert(files.has("src/core/wasm.ts"));
  assert(files.has("src/errors.ts"));
});

Deno.test("importsOf() finds every form of import and none in comments and strings", () => {
  const source = `
    import a from "./a.ts"; import type { B } from "./b.ts"; export { c } from "./c.ts"; export * from "./d.ts";
    type E = import("./e.ts").E; const f = await import("node:f"); import "./g.ts";
    // import i from "./i.ts";
    const text = 'import j from "./j.ts"';
  `;
  assertEquals(
    importsOf("src/x.ts", source).map(({ specifier, dynamic }) => dynamic ? `${specifier} later` : specifier),
    ["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "node:f later", "./g.ts"],
  );
});

Deno.test("exportsOf() tells values from types", () => {
  const source = `export { a, type B, c as d } from "./x.ts"; export type { E } from "./y.ts"; export * as f from "z";`;
  assertEquals(exportsOf("mod.ts", source), { values: ["a", "d", "f"], types: ["B", "E"] });
  assertThrows(() => exportsOf("mod.ts", `export const a = 1;`), TypeError, "only re-exports by name");
  assertThrows(() => exportsOf("mod.ts", `export * from "./x.ts";`), TypeError, "only re-exports by name");
});

/** Whether a relative import stays in what is shipped. */
function isOurs(specifier: string, file: string): boolean {
  if (!specifier.startsWith(".")) return false;
  const path = new URL(specifier, `file:///${file}`).pathname.slice(1);
  return path === "mod.ts" || path.startsWith("src/") || path.startsWith("wasm/");
}

function listFiles(folder: string): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(new URL(`${folder}/`, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...listFiles(path));
    else if (entry.name.endsWith(".ts")) found.push(path);
  }
  return found;
}
