import { assert, assertEquals, assertThrows } from "@std/assert";
import { Dropout, Flatten, functional, init, Linear, ones, Softmax, type Tensor } from "../../mod.ts";
import fixture from "../fixtures/refusals/refusals.json" with { type: "json" };

/** PyTorch's calls by their names. Arguments are what JSON gives, of any type. */
const CALLS: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
  xavier_uniform_: (shape) => init.xavierUniform_(filled(shape)),
  xavier_normal_: (shape) => init.xavierNormal_(filled(shape)),
  kaiming_uniform_: (shape, ...args) => apply(init.kaimingUniform_, [filled(shape), ...args]),
  kaiming_normal_: (shape, ...args) => apply(init.kaimingNormal_, [filled(shape), ...args]),
  eye_: (shape) => init.eye_(filled(shape)),
  dirac_: (shape, groups = 1) => init.dirac_(filled(shape), Number(groups)),
  orthogonal_: (shape) => init.orthogonal_(filled(shape)),
  sparse_: (shape, sparsity) => init.sparse_(filled(shape), Number(sparsity)),
  uniform_: (shape, from, to) => init.uniform_(filled(shape), Number(from), Number(to)),
  normal_: (shape, mean, std) => init.normal_(filled(shape), Number(mean), Number(std)),
  calculate_gain: (...args) => apply(init.calculateGain, args),
  Flatten: (shape, start = 1, end = -1) => new Flatten(Number(start), Number(end)).forward(filled(shape)),
  Softmax: (shape, dim) => new Softmax(Number(dim)).forward(filled(shape)),
  Linear: (shape, from, to) => new Linear(Number(from), Number(to)).forward(filled(shape)),
  linear: (x, weight, bias) => functional.linear(filled(x), filled(weight), filled(bias)),
  Dropout: (p) => new Dropout(Number(p)),
  dropout: (shape, p) => functional.dropout(filled(shape), Number(p)),
  gelu: (shape, approximate) => apply(functional.gelu, [filled(shape), { approximate }]),
};

for (const [name, args, text] of fixture.cases) {
  Deno.test(`${name}(${JSON.stringify(args).slice(1, -1)}) is refused in PyTorch's words`, () => {
    assert(typeof name === "string" && Array.isArray(args));
    const error = assertThrows(() => CALLS[name](...args));
    assert(error instanceof RangeError || error instanceof TypeError, `${error}`);
    assertEquals(error.message, text);
  });
}

function filled(shape: unknown): Tensor {
  assert(Array.isArray(shape));
  return ones(shape.map(Number));
}

/** Calls a function with arguments that its types forbid. */
// deno-lint-ignore ban-types
function apply(fn: Function, args: readonly unknown[]): unknown {
  return Reflect.apply(fn, undefined, args);
}
