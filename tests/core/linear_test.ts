import { assert, assertEquals } from "@std/assert";
import { noise, Scratch, VARIANTS } from "./scratch.ts";

/** The unit roundoff of float32. */
const EPSILON = 2 ** -24;

/** A kind of 16-bit floats, by its code in `linear_half`. */
interface Kind {
  readonly name: string;
  readonly code: number;
  /** Exponents below this belong to subnormal values. */
  readonly lowest: number;
  readonly mantissaBits: number;
  readonly largest: number;
  readonly smallest: number;
  /** The nearest value of the kind; which of two matters little here. */
  round(value: number): number;
}

interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly x: Float32Array;
  readonly w: Float32Array;
  readonly b: Float32Array | null;
}

const KINDS = [
  kind({ name: "float16", code: 0, lowest: -14, mantissaBits: 10, largest: 65504, smallest: 2 ** -24 }),
  kind({ name: "bfloat16", code: 1, lowest: -126, mantissaBits: 7, largest: 255 * 2 ** 120, smallest: 2 ** -133 }),
];

function kind(of: Omit<Kind, "round">): Kind {
  const round = (value: number) => {
    const exponent = Math.max(of.lowest, Math.floor(Math.log2(Math.abs(value) || 1)));
    const step = 2 ** (exponent - of.mantissaBits);
    return Math.round(value / step) * step;
  };
  return { ...of, round };
}

/** The bits of a value that the kind holds. */
function bitsOf(value: number, { lowest, mantissaBits, code }: Kind): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const special = code === 0 ? 0x7c00 : 0x7f80;
  if (Number.isNaN(value)) return special + 1;
  if (!Number.isFinite(value)) return sign + special;
  const exponent = Math.max(lowest, Math.floor(Math.log2(Math.abs(value) || Number.MIN_VALUE)));
  const units = Math.abs(value) / 2 ** (exponent - mantissaBits);
  // A normal value's leading bit counts as one more exponent.
  return sign + (exponent - lowest) * 2 ** mantissaBits + units;
}

function runHalf(scratch: Scratch, kind: Kind, { m, k, n, x, w, b }: Product): Float32Array {
  const [px, pb] = [x, b ?? new Float32Array()].map((values) => scratch.put(values, 4).address);
  const pw = scratch.put(Int16Array.from(w, (value) => bitsOf(value, kind)), 2).address;
  const y = scratch.put(new Float32Array(m * n), 4);
  const room = scratch.put(new Float32Array(scratch.core.linear_half_scratch(k) / 4).fill(NaN), 4);
  scratch.core.linear_half(kind.code, m, k, n, px, pw, b === null ? 0 : pb, y.address, n, room.address);
  // Looks at what lies around it.
  room.values();
  const values = y.values();
  scratch.clear();
  return values;
}

function product(m: number, k: number, n: number, options: { readonly bias: boolean }): Product {
  return { m, k, n, x: noise(m * k, 1), w: noise(n * k, 2), b: options.bias ? noise(n, 3) : null };
}

function run(scratch: Scratch, { m, k, n, x, w, b }: Product): Float32Array {
  // Views begin at any element: none of the operands is aligned to a vector.
  const [px, pw, pb] = [x, w, b ?? new Float32Array()].map((values) => scratch.put(values, 4).address);
  const y = scratch.put(new Float32Array(m * n), 4);
  const room = scratch.put(new Float32Array(scratch.core.linear_scratch(m, k) / 4).fill(NaN), 4).address;
  scratch.core.linear(m, k, n, px, pw, b === null ? 0 : pb, y.address, n, room);
  const values = y.values();
  scratch.clear();
  return values;
}

function assertRight(at: Product, y: Float32Array): void {
  const { m, k, n, x, w, b } = at;
  for (let i = 0; i < m * n; i++) {
    const [row, column] = [Math.floor(i / n), i % n];
    let [sum, size] = [b?.[column] ?? 0, Math.abs(b?.[column] ?? 0)];
    for (let p = 0; p < k; p++) {
      const term = x[row * k + p] * w[column * k + p];
      sum += term;
      size += Math.abs(term);
    }
    // Any order of k products and additions, and the bias's.
    const tolerance = (k + 2) * EPSILON * size;
    assert(Math.abs(y[i] - sum) <= tolerance, `${m}x${k}x${n} at ${row}, ${column}: ${y[i]}, not ${sum}`);
  }
}

for (const variant of VARIANTS) {
  Deno.test(`linear() (${variant}) is right for every small m, k and n`, () => {
    const scratch = new Scratch(variant);
    for (let m = 0; m <= 7; m++) {
      for (let k = 0; k <= 40; k++) {
        for (let n = 0; n <= 14; n++) {
          const at = product(m, k, n, { bias: (m + k + n) % 2 === 0 });
          assertRight(at, run(scratch, at));
        }
      }
    }
  });

  Deno.test(`linear() (${variant}) is right for long rows, blocks of rows and odd sizes`, () => {
    const scratch = new Scratch(variant);
    const shapes = [
      [1, 767, 50],
      [1, 1024, 9],
      [1, 36, 1],
      [9, 131, 21],
      [11, 193, 10],
      [5, 1024, 13],
      [4, 1027, 7],
      [40, 6151, 3],
      [67, 129, 31],
      [
        130,
        2050,
        5,
      ],
    ];
    for (const [m, k, n] of shapes) {
      for (const bias of [true, false]) {
        const at = product(m, k, n, { bias });
        assertRight(at, run(scratch, at));
      }
    }
  });

  Deno.test(`linear() (${variant}) keeps NaN and infinity in their row and column`, () => {
    const scratch = new Scratch(variant);
    const [m, n] = [3, 7];
    for (const k of [1, 3, 4, 5, 10, 11, 33, 39]) {
      for (let place = 0; place < k; place++) {
        for (const value of [NaN, Infinity, -Infinity]) {
          for (const side of ["x", "w"] as const) {
            const at = { m, k, n, x: new Float32Array(m * k), w: new Float32Array(n * k), b: null };
            at.x.fill(1, k, 2 * k);
            at.w.fill(1, 2 * k, 3 * k);
            at[side][(side === "x" ? k : 2 * k) + place] = value;
            const y = run(scratch, at);
            assertEquals(y[n + 2], value, `k ${k}, ${value} in ${side} at ${place}`);
            const others = y.filter((_, i) => side === "x" ? Math.floor(i / n) !== 1 : i % n !== 2);
            assert(others.every((value) => value === 0));
          }
        }
      }
    }
  });

  Deno.test(`linear() (${variant}) gives the bias, or zero, where k is 0`, () => {
    const scratch = new Scratch(variant);
    const b = Float32Array.of(1, -2, 3);
    const empty = new Float32Array();
    assertEquals(run(scratch, { m: 2, k: 0, n: 3, x: empty, w: empty, b }), Float32Array.of(1, -2, 3, 1, -2, 3));
    assertEquals(run(scratch, { m: 2, k: 0, n: 3, x: empty, w: empty, b: null }), new Float32Array(6));
  });

  Deno.test(`linear_half() (${variant}) is right for every small m, k and n`, () => {
    const scratch = new Scratch(variant);
    for (const kind of KINDS) {
      for (const m of [1, 2, 3, 4, 5, 9]) {
        for (let k = 0; k <= 26; k++) {
          for (const n of [1, 3, 4, 5, 6, 13, 50]) {
            const { x, w, b } = product(m, k, n, { bias: true });
            const [x16, w16] = [x, w].map((values) => values.map((value) => kind.round(value)));
            const y = runHalf(scratch, kind, { m, k, n, x: x16, w: w16, b });
            assertRight({ m, k, n, x: x16, w: w16, b }, y);
          }
        }
      }
    }
  });

  Deno.test(`linear_half() (${variant}) keeps infinity, NaN, subnormals and the largest values`, () => {
    const scratch = new Scratch(variant);
    for (const kind of KINDS) {
      for (const value of [Infinity, -Infinity, NaN, kind.largest, -kind.largest, kind.smallest, -3 * kind.smallest]) {
        for (const [m, n] of [[1, 1], [1, 6], [3, 9], [4, 7]]) {
          for (const k of [1, 7, 8, 9, 40, 45]) {
            for (const place of [0, k - 1]) {
              const at = { m, k, n, x: new Float32Array(m * k).fill(1), w: new Float32Array(n * k), b: null };
              at.w[(n - 1) * k + place] = value;
              const y = runHalf(scratch, kind, at);
              assertEquals(y, y.map((_, i) => i % n === n - 1 ? value : 0), `${kind.name} ${value}, ${m}×${k}×${n}`);
            }
          }
        }
      }
    }
  });

  Deno.test(`matmul() (${variant}) is right for every small m, k and n, and for large ones`, () => {
    const scratch = new Scratch(variant);
    const sizes = [[1, 40, 70], [7, 1024, 33], [131, 2000, 9], [40, 17, 101]];
    for (let m = 0; m <= 8; m++) {
      for (let k = 0; k <= 9; k++) {
        for (let n = 0; n <= 14; n++) sizes.push([m, k, n]);
      }
    }
    for (const [m, k, n] of sizes) {
      const at = product(m, k, n, { bias: false });
      const b = at.w.map((_, i) => at.w[(i % n) * k + Math.floor(i / n)]);
      const [pa, pb] = [at.x, b].map((values) => scratch.put(values, 4).address);
      const y = scratch.put(new Float32Array(m * n), 4);
      const room = scratch.put(new Float32Array(scratch.core.matmul_scratch(k) / 4).fill(NaN), 4);
      scratch.core.matmul(m, k, n, pa, pb, y.address, n, room.address);
      assertRight(at, y.values());
      room.values();
      scratch.clear();
    }
  });

  Deno.test(`linear_f64() (${variant}) is right for every small m, k and n`, () => {
    const scratch = new Scratch(variant);
    for (let m = 0; m <= 3; m++) {
      for (let k = 0; k <= 20; k++) {
        for (let n = 0; n <= 4; n++) {
          const [x, w, b] = [m * k, n * k, n].map((count, i) => Float64Array.from(noise(count, i)));
          const y = scratch.put(new Float64Array(m * n), 8);
          const [px, pw, pb] = [x, w, b].map((values) => scratch.put(values, 8).address);
          scratch.core.linear_f64(m, k, n, px, pw, pb, y.address);
          y.values().forEach((value, i) => {
            let sum = b[i % n];
            for (let p = 0; p < k; p++) sum += x[Math.floor(i / n) * k + p] * w[(i % n) * k + p];
            assert(Math.abs(value - sum) < 1e-13, `${m}x${k}x${n}: ${value}, not ${sum}`);
          });
          scratch.clear();
        }
      }
    }
  });

  Deno.test(`peak_madd() (${variant}) runs every chain`, () => {
    const { core } = new Scratch(variant);
    // x → 0.999x + 0.001 tends to 1 in each of 48 lanes, which begin at 0, 0, 0, 0, 1, 1, …
    assertEquals(core.peak_madd(0), 264);
    assert(Math.abs(core.peak_madd(20_000) - 48) < 0.1);
  });
}
