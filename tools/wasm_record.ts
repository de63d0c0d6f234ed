/**
 * What is in `wasm/` besides the module: the record of where it came from, and the form the bytes are committed in.
 *
 * @module
 */

import { applyDelta } from "../src/core/delta.ts";
import { makeDelta } from "./delta.ts";
import type { Built, Compiler, Variant } from "./wasm_recipe.ts";
import { VARIANTS } from "./wasm_recipe.ts";

/** The bytes of both variants. */
export type Modules = Readonly<Record<Variant, Uint8Array<ArrayBuffer>>>;

/** What is committed for one variant. */
export interface VariantRecord {
  /** SHA-256 of the module, in hexadecimal. */
  readonly sha256: string;
  /** Bytes of the module. */
  readonly bytes: number;
  /** Bytes of what is embedded of it, gzipped. */
  readonly gzip: number;
}

/** `wasm/build.json`: enough to prove that the modules came from `rust/`. */
export interface BuildRecord {
  /** {@linkcode sourceHash} of the sources they were built from. */
  readonly source: string;
  /** What compiled them. */
  readonly compiler: Compiler;
  /** The modules. */
  readonly variants: Readonly<Record<Variant, VariantRecord>>;
}

/**
 * Bytes that both modules together may take gzipped. A page that uses Graft downloads them both, because they are
 * embedded; 60 kB is what the project allows itself.
 */
export const GZIP_LIMIT = 60_000;

/** What the file of each variant says it holds. */
const EMBEDDED_AS: Readonly<Record<Variant, string>> = {
  simd: "The module without relaxed instructions",
  relaxed: "The module with relaxed instructions: its difference from the other one (see src/core/delta.ts)",
};

/** The recipe counts as a source: another flag makes another module. */
const RECIPE = "tools/wasm_recipe.ts";

/**
 * SHA-256 over what decides the bytes of the modules: the crate's manifest, lock file and sources, and the build
 * recipe. Names and lengths count, so that no two trees look alike.
 */
export async function sourceHash(root: string): Promise<string> {
  const files = ["rust/Cargo.toml", "rust/Cargo.lock", ...await listFiles(root, "rust/src"), RECIPE].sort();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const file of files) {
    const bytes = await Deno.readFile(`${root}/${file}`);
    parts.push(new TextEncoder().encode(`${file} ${bytes.length}\n`), bytes);
  }
  return await sha256(new Uint8Array(await new Blob(parts).arrayBuffer()));
}

/** Copies what {@linkcode sourceHash} covers of the crate into a folder, and nothing else is left there. */
export async function copyCrate(root: string, crate: string): Promise<void> {
  await Deno.mkdir(crate, { recursive: true });
  await Deno.remove(crate, { recursive: true });
  for (const file of ["rust/Cargo.toml", "rust/Cargo.lock", ...await listFiles(root, "rust/src")]) {
    const target = `${crate}/${file.slice("rust/".length)}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(`${root}/${file}`, target);
  }
}

/** Hexadecimal SHA-256. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Bytes that `bytes` take gzipped. */
export async function gzipSize(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}

/** What is embedded: one module whole, and of the other its difference from it. */
export function embedded(modules: Modules): Modules {
  return { simd: modules.simd, relaxed: makeDelta(modules.simd, modules.relaxed) };
}

/** The modules that {@linkcode embedded} was given. */
export function unembedded({ simd, relaxed }: Modules): Modules {
  return { simd, relaxed: applyDelta(simd, relaxed) };
}

/** The records of both modules. */
export async function describe(modules: Modules): Promise<BuildRecord["variants"]> {
  const { simd, relaxed } = embedded(modules);
  return {
    simd: { sha256: await sha256(modules.simd), bytes: modules.simd.length, gzip: await gzipSize(simd) },
    relaxed: { sha256: await sha256(modules.relaxed), bytes: modules.relaxed.length, gzip: await gzipSize(relaxed) },
  };
}

/** The sizes as a person reads them, and whether they are within {@linkcode GZIP_LIMIT}. */
export function sizes(variants: Readonly<Record<Variant, VariantRecord>>): { text: string; fits: boolean } {
  const lines = VARIANTS.map((name) => {
    const { bytes, gzip } = variants[name];
    return `${name.padEnd(8)}${String(bytes).padStart(8)} bytes, embedded${String(gzip).padStart(7)} gzipped`;
  });
  const total = VARIANTS.reduce((sum, name) => sum + variants[name].gzip, 0);
  return {
    text: `${lines.join("\n")}\ntogether ${total} bytes gzipped, at most ${GZIP_LIMIT}`,
    fits: total <= GZIP_LIMIT,
  };
}

/** The TypeScript file that holds what is embedded of a module. */
export function embed(variant: Variant, bytes: Uint8Array<ArrayBuffer>): string {
  return `// Written by \`deno task wasm\` from rust/. Not to be edited.\n` +
    `/** ${EMBEDDED_AS[variant]}, as base64. */\n` +
    `export const BASE64: string =\n  "${bytes.toBase64()}";\n`;
}

/** The name of that file. */
export function embedPath(variant: Variant): string {
  return `wasm/graft_core_${variant}.ts`;
}

/** The bytes that {@linkcode embed} put into a file. */
export function extract(text: string): Uint8Array<ArrayBuffer> {
  const base64 = /^ {2}"([A-Za-z0-9+/=]+)";$/m.exec(text)?.[1];
  if (base64 === undefined) throw new Error("Cannot read an embedded module: expected one line of base64, found none");
  return Uint8Array.fromBase64(base64);
}

/** The files that do not depend on the variant: their text by path. */
export function sharedFiles(built: Readonly<Record<Variant, Built>>): ReadonlyMap<string, string> {
  const { simd, relaxed } = built;
  if (simd.types !== relaxed.types || simd.glue !== relaxed.glue) {
    throw new Error("Cannot use the modules that were built: the two variants do not export the same functions");
  }
  return new Map([["wasm/graft_core.js", simd.glue], ["wasm/graft_core.d.ts", simd.types]]);
}

async function listFiles(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await listFiles(root, path));
    else found.push(path);
  }
  return found;
}
