/**
 * `add` and `sub` with `alpha`, bit for bit: the sums that two roundings get wrong, in every layout.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { cat, sub, tensor } from "../../mod.ts";
import type { Operand, Tensor } from "../../mod.ts";
import fixture from "../fixtures/scaled_sums/scaled_sums.json" with { type: "json" };
import { decode } from "../core/scratch.ts";

for (const { alpha, a, b, sum, numbers, doubled, stepped } of fixture.cases) {
  const [left, right, want] = [a, b, sum].map((text) => tensor(decode(text, Float32Array)));
  const count = want.numel;

  Deno.test(`add() with alpha ${alpha} rounds once, as PyTorch does`, () => {
    assertBits(left.add(right, { alpha }), want);
    assertBits(left.sub(right, { alpha: -alpha }), want);
    assertBits(sub(left, right.neg(), { alpha }), want);
    assertBits(left.clone().add_(right, { alpha }), want);
    assertBits(left.clone().sub_(right, { alpha: -alpha }), want);
    assertBits(left.add(fixture.number, { alpha }), tensor(decode(numbers, Float32Array)));
  });

  Deno.test(`add() with alpha ${alpha} rounds once at every length and in every layout`, () => {
    for (let first = 0; first <= count; first++) {
      const [x, y, z] = [left, right, want].map((side) => side.narrow(0, first, count - first));
      assertBits(x.add(y, { alpha }), z);
    }
    const [x, y, z] = [left, right, want].map((side) => side.reshape([4, -1]));
    assertBits(x.t().add(y.t().contiguous(), { alpha }), z.t());
    assertBits(x.select(1, 2).add(y.select(1, 2), { alpha }), z.select(1, 2));
    const target = x.clone();
    target.select(1, 2).add_(y.select(1, 2), { alpha });
    assertBits(target.select(1, 2), z.select(1, 2));
    assertBits(target.narrow(1, 0, 2), x.narrow(1, 0, 2));
  });

  Deno.test(`add() with alpha ${alpha} rounds once where an operand is repeated`, () => {
    const rows = (side: Tensor) => side.expand([3, count]).contiguous();
    assertBits(rows(left).add(right, { alpha }), rows(want));
    assertBits(left.add(rows(right), { alpha }), rows(want));
    const target = rows(left);
    assertBits(target.add_(right, { alpha }), rows(want));
    const [x, y, z] = [left, right, want].map((side) => side.unsqueeze(1));
    assertBits(x.expand([count, 3]).contiguous().add(y, { alpha }), z.expand([count, 3]));
    const each = Array.from({ length: count }, (_, i) => one(left, i).add(one(right, i).reshape([]), { alpha }));
    assertBits(cat(each), want);
    const some = (side: Tensor, i: number) => one(side, i).expand([5]).contiguous();
    for (let i = 0; i < count; i++) {
      assertBits(some(left, i).add(one(right, i), { alpha }), some(want, i));
      assertBits(one(left, i).add(some(right, i), { alpha }), some(want, i));
      assertBits(some(left, i).add(number(right, i), { alpha }), some(want, i));
    }
  });

  Deno.test(`the sums with alpha ${alpha} are of those that two roundings get wrong`, () => {
    const twice = left.double().add(right.double().mul(alpha)).float();
    assertEquals(differences(twice, want), doubled);
    assertEquals(differences(left.add(right.mul(alpha)), want), stepped);
  });
}

Deno.test("add() with alpha is not changed by what the operands share", () => {
  const values = tensor(decode(fixture.cases[0].a, Float32Array));
  const twice = values.add(values, { alpha: 3 });
  assertBits(values.clone().add_(values, { alpha: 3 }), twice);
  const same = values.clone();
  assertBits(same.add_(same, { alpha: 3 }), twice);
  const after = (side: Tensor) => side.narrow(0, 1, side.numel - 1);
  const before = (side: Tensor) => side.narrow(0, 0, side.numel - 1);
  const moved = values.clone();
  after(moved).add_(before(moved), { alpha: 1e-3 });
  assertBits(moved, cat([one(values, 0), after(values).add(before(values), { alpha: 1e-3 })]));
});

function one(side: Tensor, i: number): Tensor {
  return side.narrow(0, i, 1);
}

function number(side: Tensor, i: number): Operand {
  return one(side, i).item();
}

function bits(values: Tensor): Uint8Array {
  const array = values.contiguous().clone().flatten().data();
  assert(array instanceof Float32Array);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function assertBits(got: Tensor, want: Tensor): void {
  assertEquals(got.shape, want.shape);
  assertEquals(bits(got), bits(want));
}

function differences(a: Tensor, b: Tensor): number {
  return Number(a.ne(b).sum().item());
}
