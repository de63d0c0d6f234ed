/**
 * `deno task wasm:check`: proves that `wasm/` came from `rust/`.
 *
 * The hash of the sources is compared always, and that the embedded bytes are the recorded ones. Where the compiler of
 * the record is at hand, a copy of the crate is built in another place, and its bytes must be the committed ones.
 *
 * @module
 */

import type { Built, Variant } from "./wasm_recipe.ts";
import { buildBoth, findRecipes, VARIANTS } from "./wasm_recipe.ts";
import type { BuildRecord } from "./wasm_record.ts";
import { copyCrate, describe, embedPath, extract, sharedFiles, sizes, sourceHash, unembedded } from "./wasm_record.ts";

/** The repository. */
const ROOT = await Deno.realPath(`${import.meta.dirname}/..`);

/** Where `deno task wasm` does not build. Kept, because most of a build is the standard library. */
const ELSEWHERE = `${ROOT}/.wasm-build/elsewhere/to/be/sure`;

if (import.meta.main) {
  const record: BuildRecord = JSON.parse(await Deno.readTextFile(`${ROOT}/wasm/build.json`));
  const problems = await checkCommitted(record);
  if (problems.length === 0) problems.push(...await checkRebuilt(record));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error("Run `deno task wasm` and commit what it writes");
    Deno.exit(1);
  }
}

async function checkCommitted(record: BuildRecord): Promise<string[]> {
  const problems: string[] = [];
  const source = await sourceHash(ROOT);
  if (source !== record.source) {
    problems.push(`wasm/ is stale: rust/ hashes to ${source}, and the modules were built from ${record.source}`);
  }
  const found = await describe(
    unembedded({ simd: await readEmbedded("simd"), relaxed: await readEmbedded("relaxed") }),
  );
  problems.push(...differences(found, record, "embedded in wasm/"));
  const { text, fits } = sizes(found);
  console.log(text);
  if (!fits) problems.push("The modules are larger than they may be");
  return problems;
}

async function checkRebuilt(record: BuildRecord): Promise<string[]> {
  const wanted = JSON.stringify(record.compiler);
  const recipe = (await findRecipes()).find(({ compiler }) => JSON.stringify(compiler) === wanted);
  if (recipe === undefined) {
    console.log(`Sources match; not rebuilt, for want of ${record.compiler.rustc} with wasm-pack and wasm-bindgen`);
    return [];
  }
  await copyCrate(ROOT, `${ELSEWHERE}/crate`);
  return await compare(await buildBoth(recipe, ELSEWHERE), record);
}

async function compare(built: Readonly<Record<Variant, Built>>, record: BuildRecord): Promise<string[]> {
  const found = await describe({ simd: built.simd.wasm, relaxed: built.relaxed.wasm });
  const problems = differences(found, record, "built here");
  for (const [path, text] of sharedFiles(built)) {
    if (await Deno.readTextFile(`${ROOT}/${path}`) !== text) problems.push(`${path} is not what wasm-bindgen writes`);
  }
  if (problems.length === 0) console.log("Rebuilt in another place: the same bytes");
  return problems;
}

function differences(found: BuildRecord["variants"], { variants }: BuildRecord, where: string): string[] {
  return VARIANTS.filter((name) => found[name].sha256 !== variants[name].sha256).map((name) =>
    `The ${name} module ${where} is another one: SHA-256 ${found[name].sha256}, recorded ${variants[name].sha256}`
  );
}

async function readEmbedded(variant: Variant): Promise<Uint8Array<ArrayBuffer>> {
  return extract(await Deno.readTextFile(`${ROOT}/${embedPath(variant)}`));
}
