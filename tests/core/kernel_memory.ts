/**
 * Calls the raw exports of a variant on bytes: what the tests of kernels stand on.
 *
 * @module
 */

import { assertNotEquals } from "@std/assert";
import { instantiate } from "../../src/core/wasm.ts";
import type { CoreExports, Variant } from "../../src/core/wasm.ts";

/** Both builds: every kernel but the matrix product must give the same bits in them. */
export const VARIANTS: readonly Variant[] = ["simd", "relaxed"];

/** Bytes written after every block, to see that a kernel does not write past its end. */
const GUARD = 16;
const GUARD_BYTE = 0xa5;

/** An instance, and blocks in its memory that live as long as it. */
export class KernelMemory {
  readonly exports: CoreExports;

  constructor(variant: Variant) {
    this.exports = instantiate(variant);
  }

  /** A block of so many bytes, filled with a pattern that no kernel would write. */
  reserve(bytes: number): number {
    const address = this.exports.allocate(bytes + GUARD);
    assertNotEquals(address, 0);
    new Uint8Array(this.exports.memory.buffer, address, bytes + GUARD).fill(GUARD_BYTE);
    return address;
  }

  /** A block that holds `bytes`. */
  put(bytes: Uint8Array): number {
    const address = this.reserve(bytes.length);
    new Uint8Array(this.exports.memory.buffer, address).set(bytes);
    return address;
  }

  /** A copy of the bytes of a block of `reserve` or `put`, which must be whole: nothing after it was written. */
  take(address: number, bytes: number): Uint8Array<ArrayBuffer> {
    const block = new Uint8Array(this.exports.memory.buffer, address, bytes + GUARD);
    const guard = block.subarray(bytes).every((byte) => byte === GUARD_BYTE);
    if (!guard) throw new Error(`A kernel wrote past the end of its block of ${bytes} bytes`);
    return block.slice(0, bytes);
  }
}

/** Bytes from hexadecimal digits. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Hexadecimal digits of bytes. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads a fixture. */
export function readFixture<T>(path: string): T {
  return JSON.parse(Deno.readTextFileSync(new URL(`../fixtures/${path}`, import.meta.url)));
}
