import { assertEquals } from "@std/assert";
import { KernelMemory, VARIANTS } from "./kernel_memory.ts";

interface Layout {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
}

const LAYOUTS: readonly Layout[] = [
  { sizes: [], strides: [] },
  { sizes: [1], strides: [5] },
  { sizes: [0, 3], strides: [1, 1] },
  { sizes: [40], strides: [1] },
  { sizes: [39], strides: [3] },
  { sizes: [9], strides: [-2] },
  { sizes: [9], strides: [0] },
  { sizes: [4, 5], strides: [5, 1] },
  { sizes: [33, 18], strides: [1, 40] },
  { sizes: [33, 18], strides: [-1, 40] },
  { sizes: [17, 16], strides: [1, -20] },
  { sizes: [4, 5], strides: [0, 1] },
  { sizes: [4, 5], strides: [1, 0] },
  { sizes: [2, 19, 3, 5], strides: [285, 1, 95, 19] },
  { sizes: [2, 3, 40], strides: [400, 100, 1] },
  { sizes: [1, 3, 1, 4], strides: [99, 8, 77, 2] },
  { sizes: [2, 1, 2, 3, 2, 2, 2], strides: [1, 9, 2, 4, 12, 24, 48] },
];

/** Reference: where each element of the dense side is on the strided one. */
function positions({ sizes, strides }: Layout): number[] {
  return sizes.reduce<number[]>(
    (before, size, dim) => before.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * strides[dim])),
    [0],
  );
}

for (const variant of VARIANTS) {
  const core = new KernelMemory(variant);

  for (const item of [1, 2, 4, 8, 16]) {
    Deno.test(`gather() and scatter() follow any strides, ${item} bytes an element (${variant})`, () => {
      for (const layout of LAYOUTS) check(core, layout, item);
    });
  }

  Deno.test(`gather() transposes every small size (${variant})`, () => {
    for (let rows = 0; rows < 40; rows += rows < 20 ? 1 : 7) {
      for (let columns = 0; columns < 40; columns += columns < 20 ? 1 : 7) {
        check(core, { sizes: [rows, columns], strides: [1, rows] }, 4);
      }
    }
  });
}

function check(core: KernelMemory, layout: Layout, item: number): void {
  const where = positions(layout);
  const base = 2 - Math.min(0, ...where);
  const length = base + Math.max(0, ...where) + 3;
  const strided = Uint8Array.from({ length: length * item }, (_, i) => i * 7 + i / 251);
  const meta = core.put(new Uint8Array(Int32Array.from([...layout.sizes, ...layout.strides]).buffer));
  const rank = layout.sizes.length;
  const source = core.put(strided);
  const dense = core.reserve(where.length * item);
  core.exports.gather(dense, source + base * item, item, rank, meta);
  const gathered = core.take(dense, where.length * item);
  const text = JSON.stringify(layout);
  where.forEach((position, i) => {
    const from = (base + position) * item;
    assertEquals(gathered.slice(i * item, (i + 1) * item), strided.slice(from, from + item), `${text} at ${i}`);
  });
  if (layout.strides.includes(0)) return;
  const target = core.put(new Uint8Array(strided.length));
  core.exports.scatter(target + base * item, dense, item, rank, meta);
  const expected = new Uint8Array(strided.length);
  for (const position of where) {
    const at = (base + position) * item;
    expected.set(strided.slice(at, at + item), at);
  }
  assertEquals(core.take(target, strided.length), expected, text);
}
