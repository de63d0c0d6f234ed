/**
 * The door to `wasm/`: which of the two modules this engine takes, and an instance of it.
 *
 * The modules are embedded and import nothing, because only numbers cross the boundary: no fetch, no permission, no
 * `await`. wasm-bindgen's declarations give the exports their types; its own loader is not needed, and knows one
 * instance only, while the tests run both modules in one process.
 *
 * Importing this file decodes and compiles nothing.
 *
 * @module
 */

import type * as Glue from "../../wasm/graft_core.d.ts";
import { BASE64 as RELAXED } from "../../wasm/graft_core_relaxed.ts";
import { BASE64 as SIMD } from "../../wasm/graft_core_simd.ts";
import { UnsupportedError } from "../errors.ts";
import { applyDelta } from "./delta.ts";
import { sharedImports, sharedMemory, sharedModule } from "./shared_module.ts";

/** `"simd"` is WebAssembly 2.0's 128-bit SIMD; `"relaxed"` has fused multiply-add as well (not in Safari yet). */
export type Variant = "simd" | "relaxed";

/** The functions of `rust/src` and the memory they work on. Addresses and sizes are bytes, counts are elements. */
export type CoreExports = Omit<typeof Glue, "default" | "initSync"> & {
  /** All addresses are offsets into this memory's buffer, which is another one after it grew. */
  readonly memory: WebAssembly.Memory;
};

// The probes are whole modules of one function `() -> v128`: header, type section, function section, code section.
// `41 00 fd 0f` is `i32.const 0, i8x16.splat`, and makes an operand.
// deno-fmt-ignore
const HEADER = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // "\0asm", version 1
  0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b,       // one type: () -> v128
  0x03, 0x02, 0x01, 0x00,                         // one function of this type
];

/** Valid where the engine has SIMD: the splat alone. */
// deno-fmt-ignore
const SIMD_PROBE = Uint8Array.from([
  ...HEADER,
  0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b,
]);

/** Valid where the engine has relaxed SIMD: three splats and `f32x4.relaxed_madd` (fd 85 02), which the kernels use. */
// deno-fmt-ignore
const RELAXED_PROBE = Uint8Array.from([
  ...HEADER,
  0x0a, 0x13, 0x01, 0x11, 0x00,
  0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f,
  0xfd, 0x85, 0x02, 0x0b,
]);

/**
 * The variant to use here: `"relaxed"` where the engine accepts it.
 *
 * @throws {UnsupportedError} The engine has no WebAssembly SIMD at all (browsers before 2021, Safari before 16.4).
 */
export function chosenVariant(): Variant {
  if (WebAssembly.validate(RELAXED_PROBE)) return "relaxed";
  if (WebAssembly.validate(SIMD_PROBE)) return "simd";
  throw new UnsupportedError(
    "Cannot start the core: this engine has no WebAssembly SIMD, which every kernel needs",
    "WebAssembly SIMD",
  );
}

/**
 * A new instance of a module, with memory of its own. Compiles synchronously, which Chrome refuses on its main thread
 * for modules of 8 MB and more; these have a fiftieth of that.
 */
export function instantiate(variant: Variant): CoreExports {
  return exportsOf(new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(variant))));
}

/** The same on memory that other threads can share. */
export function instantiateShared(variant: Variant): CoreExports {
  const module = moduleBytes(variant);
  const imports = sharedImports(sharedMemory(module));
  return exportsOf(new WebAssembly.Instance(new WebAssembly.Module(sharedModule(module)), imports));
}

/** Modules for further threads that share such memory, each with a stack that ends at one of these addresses. */
export function compileForThreads(variant: Variant, stackTops: readonly number[]): readonly WebAssembly.Module[] {
  const module = moduleBytes(variant);
  return stackTops.map((stackTop) => new WebAssembly.Module(sharedModule(module, { stackTop })));
}

/** The bytes of a module: one is embedded whole, the other as its difference from it. */
export function moduleBytes(variant: Variant): Uint8Array<ArrayBuffer> {
  const simd = decodeBase64(SIMD);
  return variant === "simd" ? simd : applyDelta(simd, decodeBase64(RELAXED));
}

function exportsOf(instance: WebAssembly.Instance): CoreExports {
  const exports = instance.exports as unknown as CoreExports;
  // The engine returns an address as a signed number, and above 2 GiB it is negative.
  return { ...exports, allocate: (bytes) => exports.allocate(bytes) >>> 0 };
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  // Node before 25 has no fromBase64.
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
