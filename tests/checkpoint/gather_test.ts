import { assertEquals } from "@std/assert";
import { flipSigns, gather, spanOf, swapBytes } from "../../src/checkpoint/gather.ts";
import { numelOf } from "../../src/shape.ts";

/** The reference: every element by its own index. */
function byIndex(span: Uint8Array, { shape, strides, itemBytes }: View): Uint8Array {
  const result: number[] = [];
  const visit = (dim: number, element: number) => {
    if (dim === shape.length) result.push(...span.subarray(element * itemBytes, (element + 1) * itemBytes));
    else for (let i = 0; i < shape[dim]; i++) visit(dim + 1, element + i * strides[dim]);
  };
  visit(0, 0);
  return Uint8Array.from(result);
}

interface View {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly itemBytes: number;
}

const VIEWS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[5], [1]],
  [[5], [3]],
  [[4], [0]],
  [[3, 4], [4, 1]],
  [[3, 4], [1, 3]],
  [[3, 4], [0, 0]],
  [[3, 4], [0, 1]],
  [[3, 4], [1, 0]],
  [[3, 4], [1, 1]],
  [[2, 3, 4], [12, 4, 1]],
  [[2, 3, 4], [1, 2, 6]],
  [[2, 3, 4], [20, 5, 1]],
  [[2, 1, 4], [4, 99, 1]],
  [[2, 3, 2, 2], [1, 0, 7, 3]],
  [[2, 20], [25, 1]],
  [[3, 2, 17], [17, 60, 1]],
  [[1, 1, 1], [5, 6, 7]],
  [[2, 2, 2, 2, 2, 2], [32, 16, 8, 4, 2, 1]],
  [[2, 2, 2, 2, 2, 2], [1, 2, 4, 8, 16, 32]],
];

for (const itemBytes of [1, 2, 4, 8, 16]) {
  Deno.test(`gather() agrees with reading element by element, ${itemBytes} bytes each`, () => {
    for (const [shape, strides] of VIEWS) {
      const view = { shape, strides, itemBytes };
      const span = Uint8Array.from({ length: spanOf(view) * itemBytes }, (_, i) => i * 7 + (i >> 8));
      const target = new Uint8Array(numelOf(shape) * itemBytes);
      gather(span, target, view);
      assertEquals(target, byIndex(span, view), `shape ${shape}, strides ${strides}`);
    }
  });
}

Deno.test("gather() of nothing does nothing", () => {
  for (const shape of [[0], [3, 0], [0, 3], [2, 0, 3]]) {
    const view = { shape, strides: shape.map(() => 1), itemBytes: 4 };
    assertEquals(spanOf(view), 0);
    gather(new Uint8Array(0), new Uint8Array(0), view);
  }
});

Deno.test("swapBytes() and flipSigns() work on every width", () => {
  const bytes = Uint8Array.from({ length: 8 }, (_, i) => i);
  const swapped = (width: number) => {
    const copy = bytes.slice();
    swapBytes(copy, width);
    return [...copy];
  };
  assertEquals(swapped(1), [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(swapped(2), [1, 0, 3, 2, 5, 4, 7, 6]);
  assertEquals(swapped(4), [3, 2, 1, 0, 7, 6, 5, 4]);
  assertEquals(swapped(8), [7, 6, 5, 4, 3, 2, 1, 0]);
  const numbers = new Float32Array([1, -2, 0, NaN]);
  flipSigns(new Uint8Array(numbers.buffer), { first: 0, every: 4, width: 4 });
  assertEquals([...numbers], [-1, 2, -0, NaN]);
  flipSigns(new Uint8Array(numbers.buffer), { first: 4, every: 8, width: 4 });
  assertEquals([...numbers.subarray(0, 3)], [-1, -2, -0]);
});
