import { assert, assertEquals, assertThrows } from "@std/assert";
import { chosenVariant, instantiateShared } from "../../src/core/wasm.ts";
import { Workers } from "../../src/core/workers.ts";

/** Milliseconds in which a thread is surely there. */
const PATIENCE = 30_000;

/** The columns of each part of the product. */
const WIDTH = 8;

/** Runs `body` with threads, and ends them. */
function withWorkers(count: number, body: (workers: Workers, exports: ReturnType<typeof instantiateShared>) => void) {
  const exports = instantiateShared(chosenVariant());
  const workers = new Workers(count, exports, chosenVariant());
  try {
    body(workers, exports);
  } finally {
    workers.stop();
  }
}

Deno.test("Workers.run() does each part once, whoever takes it, and every thread takes some", () => {
  withWorkers(3, (workers, exports) => {
    const [m, k, n, parts] = [12, 64, 5 * WIDTH, 5];
    const [a, b, y] = [m * k, k * n, m * n].map((length) => exports.allocate(4 * length));
    const scratchBytes = exports.matmul_scratch(k);
    const scratch = exports.allocate(3 * scratchBytes);
    const floats = (address: number, length: number) => new Float32Array(exports.memory.buffer, address, length);
    floats(a, m * k).forEach((_, i, all) => all[i] = i % 7 - 3);
    floats(b, k * n).forEach((_, i, all) => all[i] = i % 5 + 1);
    const wanted = Float32Array.from({ length: m * n }, (_, i) => {
      const [row, column] = [Math.floor(i / n), i % n];
      let sum = 0;
      for (let p = 0; p < k; p++) sum += ((row * k + p) % 7 - 3) * ((p * n + column) % 5 + 1);
      return sum;
    });
    // A kernel leaves a mark in the scratch memory of the thread that it runs on.
    const marks = () => [0, 1, 2].map((thread) => floats(scratch + thread * scratchBytes, 1)[0] !== 0);
    floats(scratch, 3 * scratchBytes / 4).fill(0);
    const end = performance.now() + PATIENCE;
    let isShared = false;
    for (let job = 0; !isShared && performance.now() < end; job++) {
      floats(y, m * n).fill(NaN);
      workers.run({
        kernel: "matmul",
        parts: Array.from({ length: parts }, (_, i) => {
          const at = 4 * WIDTH * i;
          return [m, k, WIDTH, a, b + at, y + at, n, scratch];
        }),
        scratchBytes,
      });
      assertEquals(floats(y, m * n), wanted, `job ${job}`);
      isShared = marks().every((mark) => mark);
    }
    assert(isShared, `after ${PATIENCE} ms: ${marks()}`);
  });
});

Deno.test("Workers.run() says where a part fails, and can be used again", () => {
  withWorkers(2, (workers, exports) => {
    const y = exports.allocate(64);
    const outside = 2 ** 32 - 64;
    const bad = [1, 4, 1, outside, outside, 0, y, 1, 0];
    const run = (...parts: readonly number[][]) => workers.run({ kernel: "linear", parts, scratchBytes: 0 });
    assertThrows(() => run(bad, bad, bad), Error, "linear failed on one of 2 threads");
    const values = new Float32Array(exports.memory.buffer, y, 9);
    values.set([1, 2, 3, 4, 5, 6, 7, 8]);
    run([1, 4, 1, y, y + 16, 0, y + 32, 1, 0]);
    assertEquals(values[8], 70);
  });
});
