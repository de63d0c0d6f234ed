import { assertEquals } from "@std/assert";
import { Scratch, VARIANTS } from "./scratch.ts";

const ITEMS = [1, 2, 4, 8, 16];

function bytes(count: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => i * 31 + seed * 17 + (i >> 8));
}

function item(from: Uint8Array, at: number, size: number): number[] {
  return Array.from(from.subarray(at * size, (at + 1) * size));
}

for (const variant of VARIANTS) {
  const scratch = new Scratch(variant);

  Deno.test(`index_select() (${variant}) copies rows of every length`, () => {
    for (const [outer, size, row] of [[1, 5, 4], [3, 4, 24], [2, 3, 1], [2, 3, 0], [1, 1, 4096]]) {
      const index = [2, 0, 2, 1].map((at) => at % size);
      const src = bytes(outer * size * row, 1);
      const dst = scratch.put(new Uint8Array(outer * index.length * row));
      const at = scratch.put(BigInt64Array.from(index, BigInt)).address;
      const answer = scratch.core.index_select(
        dst.address,
        scratch.put(src).address,
        outer,
        size,
        row,
        at,
        index.length,
      );
      assertEquals(answer, -1);
      const want = Array.from({ length: outer }, (_, o) => index.map((i) => item(src, o * size + i, row))).flat(2);
      assertEquals(Array.from(dst.values()), want);
      scratch.clear();
    }
  });

  Deno.test(`gather_dim(), scatter_dim() and take() (${variant}) move items of every size`, () => {
    const [outer, count, inner, size] = [2, 3, 4, 5];
    const total = outer * count * inner;
    // A permutation in every line, so that scatter writes each place once.
    const index = Array.from({ length: total }, (_, e) => (Math.floor(e / inner) % count + e) % count);
    const far = (e: number) => (Math.floor(e / (count * inner)) * size + index[e]) * inner + e % inner;
    for (const width of ITEMS) {
      const [long, short] = [bytes(outer * size * inner * width, 1), bytes(total * width, 2)];
      const [pl, ps] = [scratch.put(long).address, scratch.put(short).address];
      const at = scratch.put(BigInt64Array.from(index, BigInt)).address;

      const gathered = scratch.put(new Uint8Array(total * width));
      assertEquals(scratch.core.gather_dim(gathered.address, pl, at, width, outer, count, inner, size), -1);
      assertEquals(Array.from(gathered.values()), index.flatMap((_, e) => item(long, far(e), width)));

      const scattered = scratch.put(new Uint8Array(long.length));
      assertEquals(scratch.core.scatter_dim(scattered.address, ps, at, width, outer, count, inner, size), -1);
      const want = new Uint8Array(long.length);
      index.forEach((_, e) => want.set(item(short, e, width), far(e) * width));
      assertEquals(scattered.values(), want);

      const taken = scratch.put(new Uint8Array(total * width));
      assertEquals(scratch.core.take(taken.address, pl, width, at, total, count), -1);
      assertEquals(Array.from(taken.values()), index.flatMap((i) => item(long, i, width)));
      scratch.clear();
    }
  });

  Deno.test(`the indexing kernels (${variant}) name the first index outside, and write nothing`, () => {
    const src = scratch.put(Int32Array.of(1, 2, 3)).address;
    const dst = scratch.put(Int32Array.of(9, 9, 9));
    for (const [index, bad] of [[[0n, 3n, -1n], 1], [[2n, 1n, -1n], 2], [[2n ** 32n, 0n, 0n], 0]] as const) {
      const at = scratch.put(BigInt64Array.from(index)).address;
      assertEquals(scratch.core.index_select(dst.address, src, 1, 3, 4, at, 3), bad);
      assertEquals(scratch.core.gather_dim(dst.address, src, at, 4, 1, 3, 1, 3), bad);
      assertEquals(scratch.core.scatter_dim(dst.address, src, at, 4, 1, 3, 1, 3), bad);
      assertEquals(scratch.core.take(dst.address, src, 4, at, 3, 3), bad);
    }
    assertEquals(dst.values(), Int32Array.of(9, 9, 9));
    assertEquals(scratch.core.take(dst.address, src, 4, 16, 0, 0), -1);
    scratch.clear();
  });

  Deno.test(`nonzero() (${variant}) lists the true ones, ascending`, () => {
    for (let count = 0; count <= 40; count++) {
      const truths = Uint8Array.from({ length: count }, (_, i) => Number(i * i % 5 === 1));
      const want = Array.from(truths.keys()).filter((i) => truths[i] === 1).map(BigInt);
      const src = scratch.put(truths, 1).address;
      const dst = scratch.put(new BigInt64Array(want.length));
      assertEquals(scratch.core.nonzero_count(src, count), want.length);
      scratch.core.nonzero(dst.address, src, count);
      assertEquals(Array.from(dst.values()), want);
      scratch.clear();
    }
  });
}
