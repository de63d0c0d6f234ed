/**
 * PyTorch's own results and messages, replayed through the public API.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Tensor } from "../../mod.ts";
import edges from "../fixtures/tensor_ops/edges.json" with { type: "json" };
import elementwise from "../fixtures/tensor_ops/elementwise.json" with { type: "json" };
import errors from "../fixtures/tensor_ops/errors.json" with { type: "json" };
import reduction from "../fixtures/tensor_ops/reduction.json" with { type: "json" };
import shaping from "../fixtures/tensor_ops/shaping.json" with { type: "json" };
import { Call, CALLS, inputOf, numberOf } from "./torch_calls.ts";
import { assertTensor } from "./torch_text.ts";
import type { Tolerance } from "./torch_text.ts";

/** A case: operation, inputs, arguments, result, and the result's strides where it is not contiguous. */
interface Case {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly unknown[];
  readonly args: Readonly<Record<string, unknown>>;
  readonly result: unknown;
  readonly strides: unknown;
}

/**
 * Where PyTorch calls a vector library for a transcendental function, ours differs in the last places. Everything that
 * is not named here is compared bit for bit.
 */
const TOLERANCES: Readonly<Record<string, Tolerance>> = {
  sigmoid: { ulps: 2 },
  tanh: { ulps: 2 },
  exp: { ulps: 2 },
  // PyTorch's vector erf makes NaN of the infinity at place 4; its scalar one does not, and neither do we.
  gelu: { ulps: 4, absolute: 1e-7, except: [4] },
  silu: { ulps: 3 },
  softplus: { ulps: 2 },
  elu: { ulps: 2 },
  log: { ulps: 1 },
  log1p: { ulps: 1 },
  log2: { ulps: 1 },
  log10: { ulps: 1 },
  expm1: { ulps: 1 },
  sin: { ulps: 1 },
  cos: { ulps: 1 },
  tan: { ulps: 1 },
  erf: { ulps: 2 },
  rsqrt: { ulps: 1 },
  pow: { ulps: 1 },
  atan2: { ulps: 1 },
  softmax: { ulps: 3 },
  // The sum of a few powers of e is rounded to float32 by PyTorch, and not before its logarithm here.
  log_softmax: { ulps: 3, absolute: 1e-7 },
  var: { ulps: 2 },
  std: { ulps: 2 },
  norm: { ulps: 1 },
};

/** Messages that are not PyTorch's own, and why. */
const OWN_TEXT: Readonly<Record<string, string>> = {
  // There are no lists.
  "'list' object cannot be interpreted as an integer": "expected a number at dim 1, got an array",
  // Ours says which value, and what would have fitted.
  "value cannot be converted to type uint8 without overflow":
    "Cannot convert 300 to uint8 without overflow: it holds 0 to 255",
  "value cannot be converted to type uint8_t without overflow":
    "Cannot convert 300 to uint8 without overflow: it holds 0 to 255",
  "value cannot be converted to type int64_t without overflow":
    "Cannot convert NaN to int64 without overflow: it holds -9223372036854775808 to 9223372036854775807",
  "value cannot be converted to type c10::Half without overflow":
    "Cannot convert 1000000 to float16 without overflow: the largest number is 65504",
  "value cannot be converted to type float without overflow":
    "Cannot convert -1e+39 to float32 without overflow: the largest number is 3.4028234663852886e+38",
};

/** Cases that mean something else in JavaScript, and why. */
const SKIPPED: readonly string[] = [
  // 0.0 is an integer.
  '["arange",[],{"values":[0]}]',
  // Every object is true, so there is no truth value of a tensor to refuse.
  '["bool",["float32[2]"],null]',
  '["bool",["float32[0]"],null]',
  // PyTorch refuses them, and here they have their answer: all dtypes compare, and a limit beyond all values is none.
  '["clamp",["float16[2]:003e00c0"],{"max":"9007199254740993n"}]',
  ...["complex32[5]:003e0040007e00000000007c000000000000003c", "bcomplex32[5]:c03f0040c07f00000000807f000000000000803f"]
    .map((text) => JSON.stringify(["equal", [text, text], null])),
];

for (const [file, { tensors, cases }] of Object.entries({ elementwise, shaping, reduction, edges, errors })) {
  const table: Readonly<Record<string, string>> = tensors;
  for (const [place, row] of cases.entries()) {
    const one = caseOf(row);
    if (SKIPPED.includes(one.name)) continue;
    Deno.test(`${file} ${place}: ${one.name}`, () => {
      assert(Object.hasOwn(CALLS, one.op), `No counterpart of ${one.op}`);
      const call = () => CALLS[one.op](new Call(one.inputs.map((input) => inputOf(input, table)), one.args));
      const message = errorOf(one.result);
      if (message === null) assertResult(call(), one);
      else assertRefusal(call, message);
    });
  }
}

function assertResult(actual: unknown, one: Case): void {
  if (Array.isArray(one.result)) {
    assert(Array.isArray(actual), one.name);
    assertEquals(actual.length, one.result.length, one.name);
    for (const [i, part] of one.result.entries()) assertTensor(actual[i], String(part), `${one.name}, part ${i}`);
  } else if (typeof one.result === "string") {
    assertTensor(actual, one.result, one.name, TOLERANCES[one.op]);
    if (Array.isArray(one.strides) && actual instanceof Tensor) assertEquals(actual.strides, one.strides.map(Number));
  } else {
    assertEquals(actual, numberOf(one.result), one.name);
  }
}

function assertRefusal(call: () => unknown, message: string): void {
  const error = assertThrows(call);
  assert(error instanceof RangeError || error instanceof TypeError, `${message}: ${String(error)}`);
  assertEquals(error.message, OWN_TEXT[message] ?? message);
}

function errorOf(result: unknown): string | null {
  if (typeof result !== "object" || result === null || !("error" in result)) return null;
  return String(result.error).replace(/^\w+: /, "");
}

function caseOf(row: readonly unknown[]): Case {
  const [op, inputs, args, result, strides] = row;
  if (!Array.isArray(inputs)) throw new TypeError("A case has a list of inputs");
  const named = args === null ? {} : JSON.parse(JSON.stringify(args));
  return { name: JSON.stringify(row.slice(0, 3)), op: String(op), inputs, args: named, result, strides };
}
