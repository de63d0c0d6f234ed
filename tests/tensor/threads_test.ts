import { assertEquals, assertThrows } from "@std/assert";
import {
  getNumThreads,
  Linear,
  manualSeed,
  matmul,
  Parameter,
  randn,
  relu,
  setNumThreads,
  type Tensor,
  UnsupportedError,
} from "../../mod.ts";

/** Sizes of products that are worth sharing, of every way in which kernels compute. */
const SIZES = [
  [1, 768, 768],
  [1, 2500, 2503],
  [2, 513, 600],
  [5, 1024, 128],
  [60, 96, 97],
  [61, 129, 131],
  [33, 1024, 63],
  [90, 20, 301],
  [3001, 19, 10],
  [2049, 65, 16],
  [700, 3, 400],
  [3001, 256, 1],
  [1501, 513, 2],
] as const;

/** Gives what `body` gives on one thread, two and three, after a moment for them to start. */
async function onThreads(body: () => unknown): Promise<readonly unknown[]> {
  const results = [body()];
  try {
    for (const count of [2, 3]) {
      setNumThreads(count);
      // Threads that are late leave everything to this one.
      for (let i = 0; i < 3; i++) {
        results.push(body());
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }
  } finally {
    setNumThreads(1);
  }
  return results;
}

for (const [m, k, n] of SIZES) {
  Deno.test(`products of ${m}×${k}×${n} have the same bits on every number of threads`, async () => {
    manualSeed(5);
    const layer = new Linear(k, n);
    const [x, b] = [randn([m, k]), randn([k, n])];
    const half = ["bfloat16", "float16"] as const;
    const halves = half.map((dtype) => ({ x: x.to(dtype), w: layer.weight.to(dtype) }));
    const [first, ...others] = await onThreads(() => [
      layer.forward(x).data(),
      matmul(x, b).data(),
      ...halves.map((operands) => matmul(operands.x, operands.w.t()).data()),
    ]);
    for (const other of others) assertEquals(other, first);
  });
}

Deno.test("setNumThreads() moves every value to shared memory, where all goes on as it would have", () => {
  const run = (between: () => void) => {
    manualSeed(3);
    const layer = new Linear(40, 30);
    const parameter = new Parameter(randn([3000]));
    const tensors = [randn([3]), randn([300]), relu(randn([4000])), parameter.detach().reshape([30, 100]).t()];
    const x = randn([2, 40]);
    const before = [parameter, ...tensors, x].map((tensor: Tensor) => tensor.tolist());
    // Drawn before, read afterwards.
    const waiting = new Linear(60, 50);
    between();
    const after = [parameter, ...tensors, x].map((tensor: Tensor) => tensor.tolist());
    assertEquals(after, before);
    return [before, randn([10]), layer.forward(x), waiting.weight].map(String);
  };
  try {
    const moved = run(() => setNumThreads(2));
    assertEquals(run(() => setNumThreads(1)), moved);
  } finally {
    setNumThreads(1);
  }
});

Deno.test("getNumThreads() gives what was set", () => {
  try {
    const counts = [1, 2, 2, 3, 1, 2].map((count) => {
      setNumThreads(count);
      return getNumThreads();
    });
    assertEquals(counts, [1, 2, 2, 3, 1, 2]);
  } finally {
    setNumThreads(1);
  }
});

Deno.test("setNumThreads() refuses other counts, in PyTorch's words where it has some", () => {
  const refused = (count: number) => {
    const { name, message } = assertThrows(() => setNumThreads(count), Error);
    return `${name}: ${message}`;
  };
  assertEquals([0, -1, 2.5, NaN, 65].map(refused), [
    "RangeError: set_num_threads expects a positive integer",
    "RangeError: set_num_threads expects a positive integer",
    "TypeError: set_num_threads expects an int, but got float",
    "TypeError: set_num_threads expects an int, but got float",
    "RangeError: Cannot compute on 65 threads: at most 64",
  ]);
  assertEquals(getNumThreads(), 1);
});

Deno.test("setNumThreads() says what a page lacks that may not share memory, and changes nothing", () => {
  const { SharedArrayBuffer: shared } = globalThis;
  Reflect.deleteProperty(globalThis, "SharedArrayBuffer");
  try {
    const error = assertThrows(() => setNumThreads(2), UnsupportedError, "Cross-Origin-Embedder-Policy: require-corp");
    assertEquals([error.feature, getNumThreads()], ["shared memory", 1]);
    setNumThreads(1);
  } finally {
    globalThis.SharedArrayBuffer = shared;
  }
});
