/**
 * `deno task wasm`: builds both variants of the Rust core and writes `wasm/`.
 *
 * @module
 */

import type { Built, Recipe, Variant } from "./wasm_recipe.ts";
import { buildBoth, findRecipes, VARIANTS, WASM_BINDGEN } from "./wasm_recipe.ts";
import type { BuildRecord } from "./wasm_record.ts";
import { copyCrate, describe, embed, embedded, embedPath, sharedFiles, sizes, sourceHash } from "./wasm_record.ts";

/** The repository. */
const ROOT = await Deno.realPath(`${import.meta.dirname}/..`);

/** Where to build. Kept, because most of a build is the standard library. */
const HERE = `${ROOT}/.wasm-build`;

/** Says what to install, on a machine that cannot build. */
const NO_COMPILER = `Cannot build the core: no compiler for wasm32-unknown-unknown was found. Install one of
  rustup target add wasm32-unknown-unknown
  apt-get install rustc-web cargo-web rust-web-src lld-22
and, for either,
  cargo install wasm-pack --locked && cargo install wasm-bindgen-cli --version ${WASM_BINDGEN}`;

if (import.meta.main) {
  const [recipe] = await findRecipes();
  if (recipe === undefined) {
    console.error(NO_COMPILER);
    Deno.exit(1);
  }
  const record = await writeAll(recipe);
  const { text, fits } = sizes(record.variants);
  console.log(`${recipe.compiler.rustc}\n${text}`);
  if (!fits) Deno.exit(1);
}

async function writeAll(recipe: Recipe): Promise<BuildRecord> {
  const { source, built } = await buildSnapshot(recipe);
  const modules = { simd: built.simd.wasm, relaxed: built.relaxed.wasm };
  const record: BuildRecord = { source, compiler: recipe.compiler, variants: await describe(modules) };
  const files = new Map(sharedFiles(built));
  const parts = embedded(modules);
  for (const variant of VARIANTS) files.set(embedPath(variant), embed(variant, parts[variant]));
  files.set("wasm/build.json", `${JSON.stringify(record, null, 2)}\n`);
  for (const [path, text] of files) await Deno.writeTextFile(`${ROOT}/${path}`, text);
  return record;
}

/** Builds a copy of the crate, so that the modules are those of the recorded hash whatever is edited meanwhile. */
async function buildSnapshot(recipe: Recipe): Promise<{ source: string; built: Record<Variant, Built> }> {
  const source = await sourceHash(ROOT);
  await copyCrate(ROOT, `${HERE}/crate`);
  if (await sourceHash(ROOT) !== source) throw new Error("Cannot copy the crate: it changed meanwhile");
  return { source, built: await buildBoth(recipe, HERE) };
}
