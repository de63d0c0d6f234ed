import { assertEquals, assertThrows } from "@std/assert";
import { arange, type Tensor } from "../../mod.ts";

/** One call in every form that its arguments may take. */
const FORMS: Readonly<Record<string, readonly ((x: Tensor) => Tensor)[]>> = {
  sum: [(x) => x.sum(1, true), (x) => x.sum(1, { keepdim: true }), (x) => x.sum({ dim: 1, keepdim: true })],
  mean: [(x) => x.mean(1, true), (x) => x.mean([1], { keepdim: true }), (x) => x.mean({ dim: 1, keepdim: true })],
  var: [
    (x) => x.var(1, { keepdim: true }),
    (x) => x.var({ dim: 1, keepdim: true }),
    (x) => x.var({ dim: 1, keepdim: true, correction: 1 }),
    (x) => x.var({ dim: [1] }, { keepdim: true }),
  ],
  std: [
    (x) => x.std(-1, { keepdim: true, correction: 0 }),
    (x) => x.std({ dim: -1, keepdim: true, correction: 0 }),
    (x) => x.std({ dim: -1, keepdim: true }, { correction: 0 }),
  ],
  norm: [
    (x) => x.norm(2, 1, true),
    (x) => x.norm({ dim: 1, keepdim: true }),
    (x) => x.norm("fro", 1, { keepdim: true }),
  ],
  amax: [(x) => x.amax(1, true), (x) => x.amax({ dim: 1, keepdim: true })],
  any: [(x) => x.any(1, true), (x) => x.any({ dim: 1, keepdim: true }), (x) => x.any([1], { keepdim: true })],
  argmax: [(x) => x.argmax(1, true), (x) => x.argmax({ dim: 1, keepdim: true })],
  max: [(x) => x.max(1, true)[0], (x) => x.max({ dim: 1, keepdim: true })[0]],
  cumsum: [(x) => x.cumsum(1), (x) => x.cumsum({ dim: 1 })],
  softmax: [(x) => x.softmax(1), (x) => x.softmax({ dim: 1 })],
};

for (const [name, forms] of Object.entries(FORMS)) {
  Deno.test(`${name}() takes its arguments by position and by name alike`, () => {
    const x = arange(6).float().view([2, 3]);
    const [first, ...others] = forms.map((form) => form(x));
    assertEquals(first.ndim, 2, "keepdim is heard");
    for (const other of others) assertEquals([other.shape, other.tolist()], [first.shape, first.tolist()]);
  });
}

Deno.test("diagonal() says which dimensions make no matrix", () => {
  const x = arange(6).view([2, 3]);
  assertThrows(() => x.diagonal(0, 1, -1), RangeError, "diagonal dimensions cannot be identical 1, -1");
  assertThrows(() => x.diagonal(0, 2), RangeError, "Dimension out of range");
});
