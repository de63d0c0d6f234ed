import { assert, assertEquals } from "@std/assert";
import { applyDelta } from "../../src/core/delta.ts";
import { makeDelta } from "../../tools/delta.ts";

/** Bytes without a pattern, the same every time: Lehmer's generator, modulus 2^31 - 1. */
function noise(length: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length }, () => (state = (state * 48271) % 0x7fff_ffff) & 0xff);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const BASE = noise(5000, 1);

const TARGETS: Readonly<Record<string, Uint8Array>> = {
  "nothing": new Uint8Array(0),
  "the same": BASE,
  "something else": noise(3000, 2),
  "a part": BASE.subarray(1234, 4321),
  "a replacement": concat(BASE.subarray(0, 2000), noise(50, 3), BASE.subarray(2050)),
  "an insertion": concat(BASE.subarray(0, 2000), noise(50, 3), BASE.subarray(2000)),
  "a deletion": concat(BASE.subarray(0, 2000), BASE.subarray(2500)),
  "parts in another order": concat(BASE.subarray(4000), BASE.subarray(0, 100), BASE.subarray(2000, 4000)),
  "runs of one byte": concat(new Uint8Array(300), BASE.subarray(7), new Uint8Array(300)),
};

for (const [name, target] of Object.entries(TARGETS)) {
  Deno.test(`applyDelta() makes ${name} of what makeDelta() found`, () => {
    assertEquals(applyDelta(BASE, makeDelta(BASE, target)), target.slice());
  });
}

Deno.test("applyDelta() works from an empty base", () => {
  assertEquals(applyDelta(new Uint8Array(0), makeDelta(new Uint8Array(0), BASE)), BASE);
});

Deno.test("makeDelta() is small where little changed", () => {
  assert(makeDelta(BASE, BASE).length < 10);
  assert(makeDelta(BASE, TARGETS["an insertion"]).length < 80);
});
