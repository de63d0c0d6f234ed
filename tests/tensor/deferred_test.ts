/**
 * Fills that wait until a value is read: they start no wasm, and have the bits of an eager draw.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  Generator,
  init,
  Linear,
  manualSeed,
  ones,
  rand,
  randint,
  randn,
  randperm,
  type Tensor,
  zeros,
} from "../../mod.ts";

Deno.test("only reading a value starts wasm", async () => {
  const worker = new Worker(new URL("deferred_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.addEventListener("message", ({ data }) => resolve(data));
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  });
  try {
    const steps = await promise;
    assert(Array.isArray(steps) && steps.length > 15);
    for (const [i, { name, started }] of steps.entries()) assertEquals(started, i === steps.length - 1, String(name));
  } finally {
    worker.terminate();
  }
});

type Drawing = (generator: Generator) => Tensor;

/** Draws of every kind: odd and even numbers of values, of 32 and 64 bits, with and without the second normal. */
const DRAWINGS: readonly Drawing[] = [
  (generator) => randn([3], { generator }),
  (generator) => rand([700], { generator }),
  (generator) => randn([5], { generator, dtype: "float64" }),
  (generator) => randint(0, 10, [3], { generator }),
  (generator) => randn([40], { generator }),
  (generator) => randint(-(2n ** 40n), 2n ** 40n, [3], { generator }),
  (generator) => randn([1], { generator, dtype: "float16" }),
  (generator) => zeros([9]).bernoulli_(0.3, { generator }),
  (generator) => zeros([3]).exponential_(2, { generator }),
  (generator) => randn([15], { generator, dtype: "bfloat16" }),
  (generator) => randperm(7, { generator }),
  (generator) => rand([5], { generator, dtype: "float64" }),
  (generator) => zeros([4, 6]).t().normal_(0, 1, { generator }),
  (generator) => zeros([3], { dtype: "int32" }).random_({ generator }),
  (generator) => randn([2], { generator }),
];

const SEED = 20;

/** The values of {@linkcode DRAWINGS}, each read before the next is drawn. */
const EAGER = valuesOf(new Generator().manualSeed(SEED), (tensor) => tensor.bytes().length);

Deno.test("values read after all draws are those of an eager draw", () => {
  assertEquals(valuesOf(new Generator().manualSeed(SEED)), EAGER);
});

Deno.test("values read in the other order are the same", () => {
  const generator = new Generator().manualSeed(SEED);
  const tensors = DRAWINGS.map((draw) => draw(generator));
  assertEquals(tensors.toReversed().map(hexOf).toReversed(), EAGER);
});

Deno.test("values read in any order, or not at all, are the same", () => {
  // A multiplier of its own for each round, so that orders differ and repeat from run to run.
  for (const step of [2, 4, 7, 11]) {
    const generator = new Generator().manualSeed(SEED);
    const tensors = DRAWINGS.map((draw) => draw(generator));
    for (let i = 0; i < tensors.length; i += 2) {
      const at = (i * step) % tensors.length;
      assertEquals(hexOf(tensors[at]), EAGER[at], `draw ${at}, step ${step}`);
    }
  }
});

Deno.test("draws that wait and draws that are read at once share a stream", () => {
  const generator = new Generator().manualSeed(SEED);
  const tensors = DRAWINGS.map((draw, i) => {
    const tensor = draw(generator);
    if (i % 3 === 0) assertEquals(hexOf(tensor), EAGER[i]);
    return tensor;
  });
  assertEquals(tensors.map(hexOf), EAGER);
});

Deno.test("two generators do not disturb each other", () => {
  const [a, b] = [new Generator().manualSeed(SEED), new Generator().manualSeed(SEED)];
  const pairs = DRAWINGS.map((draw) => [draw(a), draw(b)]);
  assertEquals(pairs.toReversed().map(([first]) => hexOf(first)).toReversed(), EAGER);
  assertEquals(pairs.map(([, second]) => hexOf(second)), EAGER);
});

Deno.test("many generators, more than there are engines, give what each gives alone", () => {
  const alone = Array.from({ length: 9 }, (_, seed) => valuesOf(new Generator().manualSeed(seed)));
  const generators = alone.map((_, seed) => new Generator().manualSeed(seed));
  const together = DRAWINGS.map((draw) => generators.map((generator) => draw(generator)));
  for (const [i, row] of together.toReversed().entries()) {
    const place = DRAWINGS.length - 1 - i;
    assertEquals(row.map(hexOf), alone.map((values) => values[place]));
  }
});

Deno.test("a draw that runs at once stands in its place between draws that wait", () => {
  const draws = (read: (tensor: Tensor) => unknown) => {
    const generator = new Generator().manualSeed(SEED);
    manualSeed(SEED);
    const before = randn([3], { generator });
    read(before);
    const now = init.truncNormal_(zeros([50]), { generator });
    const sparse = init.sparse_(zeros([5, 4]), 0.5, 1, { generator });
    const after = randn([3], { generator });
    return [after, sparse, now, before].map(hexOf);
  };
  assertEquals(draws(() => {}), draws((tensor) => tensor.tolist()));
});

Deno.test("seeding anew does not change draws that wait", () => {
  const generator = new Generator().manualSeed(SEED);
  const waiting = rand([5], { generator });
  const odd = randn([3], { generator });
  generator.manualSeed(SEED + 1);
  const other = rand([5], { generator });
  const again = new Generator().manualSeed(SEED);
  assertEquals(hexOf(other), hexOf(rand([5], { generator: new Generator().manualSeed(SEED + 1) })));
  assertEquals(
    [waiting, odd].map(hexOf),
    [rand([5], { generator: again }), randn([3], { generator: again })].map(hexOf),
  );
});

Deno.test("seeding anew forgets the second normal of a pair", () => {
  const generator = new Generator().manualSeed(1);
  randn([1], { generator });
  generator.manualSeed(1);
  assertEquals(hexOf(randn([2], { generator })), hexOf(randn([2], { generator: new Generator().manualSeed(1) })));
});

Deno.test("a draw that is overwritten before it was read still takes its place in the stream", () => {
  const expected = DRAWINGS.map((_, i) => EAGER[i]);
  const overwrites: readonly ((tensor: Tensor) => unknown)[] = [
    (tensor) => tensor.zero_(),
    (tensor) => tensor.copy_(ones(tensor.shape)),
    (tensor) => tensor.fill_(1),
  ];
  for (const overwrite of overwrites) {
    const generator = new Generator().manualSeed(SEED);
    const tensors = DRAWINGS.map((draw) => draw(generator));
    tensors.forEach((tensor, i) => i % 2 === 0 && overwrite(tensor));
    tensors.forEach((tensor, i) => i % 2 === 1 && assertEquals(hexOf(tensor), expected[i]));
    const [first] = tensors;
    assert([[0, 0, 0], [1, 1, 1]].some((values) => JSON.stringify(values) === JSON.stringify(first.tolist())));
  }
});

Deno.test("clone() of a draw that waits has its values, and memory of its own", () => {
  const generator = new Generator().manualSeed(SEED);
  const tensors = DRAWINGS.map((draw) => draw(generator));
  const clones = tensors.map((tensor) => tensor.clone());
  assertEquals(clones.map(hexOf), EAGER);
  for (const clone of clones) clone.zero_();
  assertEquals(tensors.map(hexOf), EAGER);
});

Deno.test("a view of a draw that waits reads and writes the tensor's own values", () => {
  const make = () => rand([4, 3], { generator: new Generator().manualSeed(SEED) });
  const values = make().tolist();
  assertEquals(make().t().t().tolist(), values);
  const [written, expected] = [make(), make()];
  written.at(1).zero_();
  assertEquals(written.at(0).tolist(), expected.at(0).tolist());
  assertEquals(written.at(1).tolist(), [0, 0, 0]);
});

Deno.test("an operation in place on a draw that waits sees its values", () => {
  const make = () => rand([5], { generator: new Generator().manualSeed(SEED) });
  const read = make();
  read.tolist();
  assertEquals(make().mul_(3).add_(1).tolist(), read.mul_(3).add_(1).tolist());
});

Deno.test("a layer whose values were loaded never draws them, and the next layer is PyTorch's", () => {
  manualSeed(0);
  const first = new Linear(10, 5);
  const second = new Linear(5, 2);
  first.loadStateDict({ weight: ones([5, 10]), bias: ones([5]) });
  manualSeed(0);
  const twin = new Linear(10, 5);
  twin.weight.tolist();
  assertEquals(hexOf(second.weight), hexOf(new Linear(5, 2).weight));
  assertEquals(first.bias?.tolist(), [1, 1, 1, 1, 1]);
});

Deno.test("a draw into a part of a tensor runs in its place", () => {
  const draws = (read: boolean) => {
    const generator = new Generator().manualSeed(SEED);
    const before = randn([3], { generator });
    if (read) before.tolist();
    const whole = ones([6]);
    whole.slice(0, 2, 5).uniform_(0, 1, { generator });
    return [randn([2], { generator }), whole, before].map(hexOf);
  };
  assertEquals(draws(true), draws(false));
});

function valuesOf(generator: Generator, after: (tensor: Tensor) => unknown = () => {}): string[] {
  const tensors = DRAWINGS.map((draw) => {
    const tensor = draw(generator);
    after(tensor);
    return tensor;
  });
  return tensors.map(hexOf);
}

function hexOf(tensor: Tensor): string {
  return tensor.bytes().toHex();
}
