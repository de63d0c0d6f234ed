/**
 * The random fixtures: how one case is written with the public API.
 *
 * @module
 */

import { assert } from "@std/assert";
import { arange, init, Tensor, zeros } from "../../mod.ts";
import type { Generator } from "../../mod.ts";
import { isDType } from "../../src/dtype.ts";
import type { DType } from "../../src/dtype.ts";
import { randperm } from "../../mod.ts";

/** One draw. */
export interface Draw {
  readonly op: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly args: Readonly<Record<string, unknown>>;
  /** The flat positions that `bits` holds, where it does not hold all. */
  readonly pick: readonly number[] | null;
  readonly bits: string;
}

/** The draw that a fixture describes. */
export function drawOf(value: unknown): Draw {
  assert(typeof value === "object" && value !== null);
  assert("op" in value && "dtype" in value && "shape" in value && "args" in value && "bits" in value);
  const { op, dtype, shape, args, bits } = value;
  assert(typeof dtype === "string" && isDType(dtype));
  const pick = "pick" in value && Array.isArray(value.pick) ? value.pick.map(Number) : null;
  return { op: String(op), dtype, shape: numbers(shape), args: entriesOf(args), pick, bits: String(bits) };
}

/** Draws it. */
export function drawn({ op, dtype, shape, args }: Draw, generator?: Generator): Tensor {
  if (op === "randperm") return randperm(Number(args.n), { dtype, generator });
  const target = targetOf(args.layout, shape, dtype);
  const options = { generator };
  switch (op) {
    case "uniform_":
      return target.uniform_(Number(args.from), Number(args.to), options);
    case "normal_":
      return target.normal_(Number(args.mean), Number(args.std), options);
    case "trunc_normal_":
      return init.truncNormal_(target, {
        mean: Number(args.mean),
        std: Number(args.std),
        a: Number(args.a),
        b: Number(args.b),
        generator,
      });
    case "exponential_":
      return target.exponential_(Number(args.lambd), options);
    case "random_":
      if (args.from === undefined) return target.random_(options);
      return target.random_(BigInt(String(args.from)), args.to === null ? null : BigInt(String(args.to)), options);
    case "bernoulli_":
      return target.bernoulli_(Number(args.p), options);
    case "bernoulli":
      return target.bernoulli_(probabilities(args, shape), options);
    default:
      throw new TypeError(`No such draw: ${op}`);
  }
}

/** The text of a draw's expected values, and the values of `tensor` that it holds. */
export function compared(tensor: Tensor, { pick, bits, dtype, shape }: Draw): { actual: Tensor; expected: string } {
  const flat = tensor.reshape([-1]);
  const actual = pick === null ? tensor : flat.take(positions(pick));
  const sizes = pick === null ? shape : [pick.length];
  return { actual, expected: `${dtype}[${sizes.join(",")}]${bits === "" ? "" : `:${bits}`}` };
}

/** What the fixture draws afterwards, to tell how much of the stream was taken. */
export function drawnThen(generator?: Generator): number {
  return Number(zeros([], { dtype: "int64" }).random_(0, 2 ** 27, { generator }).item());
}

/** The cases of a fixture, as they stand. */
export function casesOf(fixture: { readonly cases: readonly unknown[] }): readonly Readonly<Record<string, unknown>>[] {
  return fixture.cases.map(entriesOf);
}

/** A record of what an object holds. */
export function entriesOf(value: unknown): Readonly<Record<string, unknown>> {
  assert(typeof value === "object" && value !== null);
  return Object.fromEntries(Object.entries(value));
}

function targetOf(layout: unknown, shape: readonly number[], dtype: DType): Tensor {
  if (layout === "strided") return zeros([...shape, 2], { dtype }).select(-1, 0);
  return layout === "transposed" ? zeros(shape.toReversed(), { dtype }).t() : zeros(shape, { dtype });
}

function positions(pick: readonly number[]): Tensor {
  const flat = arange(pick.length);
  for (const [i, position] of pick.entries()) flat.at(i).fill_(position);
  return flat;
}

function probabilities(args: Readonly<Record<string, unknown>>, shape: readonly number[]): Tensor {
  const name = String(args.probabilities_dtype);
  assert(isDType(name));
  return Tensor.fromBytes(Uint8Array.fromHex(String(args.probabilities)), { dtype: name, shape });
}

function numbers(value: unknown): number[] {
  assert(Array.isArray(value));
  return value.map(Number);
}
