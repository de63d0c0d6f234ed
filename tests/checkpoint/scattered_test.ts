import { assert, assertEquals } from "@std/assert";
import type { ByteSource } from "../../src/bytes/source.ts";
import { spanOf, type StridedView } from "../../src/checkpoint/gather.ts";
import { isScattered, scattered } from "../../src/checkpoint/scattered.ts";
import { numelOf } from "../../src/shape.ts";

const SERVER: ByteSource = { size: 0, read: () => Promise.resolve(new Uint8Array(0)) };
const FILE: ByteSource = { ...SERVER, readSync: () => 0 };

/** The elements of a view in row-major order, by the definition of a stride. */
function elementsOf({ shape, strides }: StridedView, first = 0): number[] {
  if (shape.length === 0) return [first];
  const rest = { shape: shape.slice(1), strides: strides.slice(1) };
  return Array.from({ length: shape[0] }, (_, i) => elementsOf(rest, first + i * strides[0])).flat();
}

/** The same by way of the plan, and the bytes that it reads. */
function planned(view: StridedView, { itemBytes, source }: { itemBytes: number; source: ByteSource }) {
  const plan = scattered(view, { itemBytes, source });
  const together = new Array<number>(plan.elements).fill(-1);
  let read = 0;
  for (const window of plan.windows) {
    const elements = elementsOf(window, window.first);
    for (const [i, element] of elements.entries()) together[window.to + i] = element;
    assert(spanOf(window) * itemBytes <= 8 << 20);
    read += spanOf(window) * itemBytes;
  }
  return { found: elementsOf({ shape: view.shape, strides: plan.strides }).map((i) => together[i]), read };
}

const VIEWS: readonly StridedView[] = [
  { shape: [], strides: [] },
  { shape: [7], strides: [5000] },
  { shape: [40, 3], strides: [10_000, 1] },
  { shape: [3, 40], strides: [1, 10_000] },
  { shape: [3, 40, 4], strides: [4, 10_000, 1] },
  { shape: [2, 3, 4, 5], strides: [1_000_000, 3, 3000, 20_000] },
  { shape: [4, 3, 4], strides: [0, 9000, 0] },
  { shape: [5, 1, 2], strides: [9000, 77, 3] },
  { shape: [3, 1000], strides: [3_000_000, 2500] },
  // Strides that overlap each other.
  { shape: [4, 5], strides: [5000, 5001] },
  { shape: [4, 5], strides: [5000, 5000] },
];

Deno.test("scattered() reads every element of a view, and puts it where the view finds it", () => {
  for (const view of VIEWS) {
    for (const itemBytes of [1, 4, 16]) {
      for (const source of [FILE, SERVER]) {
        const { found } = planned(view, { itemBytes, source });
        assertEquals(found, elementsOf(view), `${view.shape} ${view.strides} of ${itemBytes}`);
      }
    }
  }
});

Deno.test("scattered() leaves out what lies between, where that is long", () => {
  const columns = { shape: [1000, 3], strides: [10_000, 1] };
  assertEquals(planned(columns, { itemBytes: 4, source: FILE }).read, 1000 * 3 * 4);
  assert(planned(columns, { itemBytes: 4, source: SERVER }).read > 39_000_000);
});

Deno.test("isScattered() tells whether most of a range belongs to others", () => {
  assertEquals(isScattered({ shape: [100, 100], strides: [1, 100] }), false);
  assertEquals(isScattered({ shape: [10, 100], strides: [1, 100] }), true);
  assertEquals(isScattered({ shape: [100, 100], strides: [0, 1] }), false);
  assertEquals(isScattered({ shape: [0, 100], strides: [100, 1] }), false);
  assertEquals(numelOf([0, 100]), 0);
});
