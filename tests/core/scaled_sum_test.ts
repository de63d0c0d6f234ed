import { assertEquals } from "@std/assert";
import { PAIRING } from "../../src/core/kernels.ts";
import fixture from "../fixtures/scaled_sums/scaled_sums.json" with { type: "json" };
import { decode, LENGTHS, Scratch, VARIANTS } from "./scratch.ts";

/** Modes of the ABI beyond a pairing: which operand is the same row each time. */
const REPEATED = { right: 4, left: 8 };

function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

for (const variant of VARIANTS) {
  const scratch = new Scratch(variant);

  Deno.test(`scaled_sum() (${variant}) rounds once at every length and in every mode`, () => {
    for (const { alpha, a, b, sum } of fixture.cases) {
      const [left, right, want] = [a, b, sum].map((text) => decode(text, Float32Array));
      for (const length of LENGTHS) {
        const at = (side: Float32Array) => Float32Array.from({ length }, (_, i) => side[i % side.length]);
        const [pa, pb] = [scratch.put(at(left), 8), scratch.put(at(right), 4)];
        const y = scratch.put(new Float32Array(length), 12);
        scratch.core.scaled_sum(y.address, pa.address, pb.address, alpha, 1, length, PAIRING.each);
        assertEquals(bits(y.values()), bits(at(want)));
        scratch.core.scaled_sum(pb.address, pa.address, pb.address, alpha, 1, length, PAIRING.each);
        assertEquals(bits(pb.values()), bits(at(want)));
        scratch.clear();
      }
      for (const [i, total] of want.entries()) {
        const y = scratch.put(new Float32Array(7));
        const [many, one] = [new Float32Array(7).fill(left[i]), Float32Array.of(right[i])].map((v) => scratch.put(v));
        scratch.core.scaled_sum(y.address, many.address, one.address, alpha, 1, 7, PAIRING.rightOne);
        assertEquals(bits(y.values()), bits(new Float32Array(7).fill(total)));
        scratch.clear();
        const [single, others] = [Float32Array.of(left[i]), new Float32Array(7).fill(right[i])].map((v) =>
          scratch.put(v)
        );
        const z = scratch.put(new Float32Array(7));
        scratch.core.scaled_sum(z.address, single.address, others.address, alpha, 1, 7, PAIRING.leftOne);
        assertEquals(bits(z.values()), bits(new Float32Array(7).fill(total)));
        scratch.clear();
      }
    }
  });

  Deno.test(`scaled_sum() (${variant}) repeats the short operand, on either side`, () => {
    const { alpha, a, b, sum } = fixture.cases[0];
    const [left, right, want] = [a, b, sum].map((text) => decode(text, Float32Array));
    for (const cols of [0, 1, 3, 8, want.length]) {
      const repeated = (side: Float32Array) => Float32Array.from({ length: 3 * cols }, (_, i) => side[i % cols]);
      for (
        const [mode, x, y] of [[REPEATED.right, repeated(left), right], [REPEATED.left, left, repeated(right)]] as const
      ) {
        const [pa, pb] = [scratch.put(x), scratch.put(y)];
        const result = scratch.put(new Float32Array(3 * cols), 4);
        scratch.core.scaled_sum(result.address, pa.address, pb.address, alpha, 3, cols, mode);
        assertEquals(bits(result.values()), bits(repeated(want)));
        scratch.clear();
      }
    }
  });
}
