/**
 * PyTorch's operations, as the fixtures name them, through the public API: how each line of Python is written here.
 *
 * @module
 */

import {
  add,
  arange,
  cat,
  div,
  eye,
  floorDivide,
  full,
  functional,
  matmul,
  pow,
  randint,
  randperm,
  remainder,
  stack,
  sub,
  Tensor,
  tensor,
  where,
  zeros,
} from "../../mod.ts";
import type { DType, IndexPart, Operand, Shape } from "../../mod.ts";
import { isDType } from "../../src/dtype.ts";
import { tensorOf } from "./torch_text.ts";

/** The arguments of one case, read as they are asked for. */
export class Call {
  #inputs: readonly unknown[];
  #args: Readonly<Record<string, unknown>>;

  constructor(inputs: readonly unknown[], args: Readonly<Record<string, unknown>>) {
    this.#inputs = inputs;
    this.#args = args;
  }

  /** The tensor operated on. */
  get self(): Tensor {
    return this.tensor(0);
  }

  tensor(at: number): Tensor {
    const value = this.#inputs[at];
    if (value instanceof Tensor) return value;
    throw new TypeError(`Input ${at} is no tensor`);
  }

  tensors(at: number): Tensor[] {
    const value = this.#inputs[at];
    if (!Array.isArray(value)) throw new TypeError(`Input ${at} is no list`);
    return value.map((part) => {
      if (part instanceof Tensor) return part;
      throw new TypeError(`Input ${at} is no list of tensors`);
    });
  }

  operand(at: number): Operand {
    const value = this.#inputs[at];
    return typeof value === "object" ? this.tensor(at) : numberOf(value);
  }

  isTensor(at: number): boolean {
    return this.#inputs[at] instanceof Tensor;
  }

  number(at: number): number {
    return Number(this.#inputs[at]);
  }

  has(name: string): boolean {
    return this.#args[name] !== undefined;
  }

  arg(name: string): unknown {
    return this.#args[name];
  }

  /** A list of numbers of any kind. */
  numbers(name: string): (number | bigint)[] {
    return entries(this.#args[name]).map(numberOf).map((number) =>
      typeof number === "boolean" ? Number(number) : number
    );
  }

  num(name: string): number {
    return Number(this.#args[name]);
  }

  optional(name: string): number | undefined {
    return this.has(name) ? this.num(name) : undefined;
  }

  list(name: string): number[] {
    const value = this.#args[name];
    if (Array.isArray(value)) return value.map((entry) => Number(numberOf(entry)));
    throw new TypeError(`${name} is no list`);
  }

  /** A limit: a number of any kind, or none. */
  bound(name: string): number | bigint | undefined {
    const value = this.#args[name];
    const number = value === undefined ? undefined : numberOf(value);
    return typeof number === "boolean" ? Number(number) : number;
  }

  dims(name: string): number | number[] | undefined {
    const value = this.#args[name];
    return Array.isArray(value) ? value.map(Number) : this.optional(name);
  }

  get dtype(): { readonly dtype?: DType } {
    const name = this.#args["dtype"];
    return typeof name === "string" && isDType(name) ? { dtype: name } : {};
  }
}

type Run = (call: Call) => unknown;

/** Operations of one operand that are methods of the same name. */
const UNARY: Readonly<Record<string, Run>> = {
  relu: (c) => c.self.relu(),
  sigmoid: (c) => c.self.sigmoid(),
  tanh: (c) => c.self.tanh(),
  exp: (c) => c.self.exp(),
  log: (c) => c.self.log(),
  sqrt: (c) => c.self.sqrt(),
  abs: (c) => c.self.abs(),
  neg: (c) => c.self.neg(),
  sin: (c) => c.self.sin(),
  cos: (c) => c.self.cos(),
  tan: (c) => c.self.tan(),
  erf: (c) => c.self.erf(),
  reciprocal: (c) => c.self.reciprocal(),
  rsqrt: (c) => c.self.rsqrt(),
  floor: (c) => c.self.floor(),
  ceil: (c) => c.self.ceil(),
  round: (c) => c.self.round(),
  trunc: (c) => c.self.trunc(),
  sign: (c) => c.self.sign(),
  log1p: (c) => c.self.log1p(),
  expm1: (c) => c.self.expm1(),
  log2: (c) => c.self.log2(),
  log10: (c) => c.self.log10(),
  logical_not: (c) => c.self.logicalNot(),
  isnan: (c) => c.self.isnan(),
  isinf: (c) => c.self.isinf(),
  isfinite: (c) => c.self.isfinite(),
  square: (c) => c.self.square(),
  bitwise_not: (c) => c.self.bitwiseNot(),
  gelu: (c) =>
    functional.gelu(c.self, c.has("approximate") ? { approximate: approximation(c.arg("approximate")) } : {}),
  silu: (c) => functional.silu(c.self),
  leaky_relu: (c) => functional.leakyRelu(c.self, c.optional("negative_slope")),
  softplus: (c) => functional.softplus(c.self),
  elu: (c) => functional.elu(c.self),
  clamp: (c) => c.self.clamp(c.bound("min"), c.bound("max")),
  clamp_: (c) => c.self.clamp_(c.bound("min"), c.bound("max")),
  sqrt_: (c) => c.self.sqrt_(),
  exp_: (c) => c.self.exp_(),
  floor_: (c) => c.self.floor_(),
  neg_: (c) => c.self.neg_(),
  abs_: (c) => c.self.abs_(),
  relu_: (c) => c.self.relu_(),
};

const BINARY: Readonly<Record<string, Run>> = {
  add: (c) => c.isTensor(0) ? c.self.add(c.operand(1), alphaOf(c)) : add(c.operand(0), c.tensor(1)),
  sub: (c) => c.isTensor(0) ? c.self.sub(c.operand(1), alphaOf(c)) : sub(c.operand(0), c.tensor(1)),
  mul: (c) => c.self.mul(c.operand(1)),
  div: (c) => c.isTensor(0) ? c.self.div(c.operand(1)) : div(c.operand(0), c.tensor(1)),
  pow: (c) => c.isTensor(0) ? c.self.pow(c.operand(1)) : pow(c.operand(0), c.tensor(1)),
  remainder: (c) => c.isTensor(0) ? c.self.remainder(c.operand(1)) : remainder(c.operand(0), c.tensor(1)),
  floor_divide: (c) => c.isTensor(0) ? c.self.floorDivide(c.operand(1)) : floorDivide(c.operand(0), c.tensor(1)),
  maximum: (c) => c.self.maximum(c.operand(1)),
  minimum: (c) => c.self.minimum(c.operand(1)),
  fmod: (c) => c.self.fmod(c.operand(1)),
  atan2: (c) => c.self.atan2(c.operand(1)),
  bitwise_and: (c) => c.self.bitwiseAnd(c.operand(1)),
  bitwise_or: (c) => c.self.bitwiseOr(c.operand(1)),
  bitwise_xor: (c) => c.self.bitwiseXor(c.operand(1)),
  add_: (c) => c.self.add_(c.operand(1), alphaOf(c)),
  sub_: (c) => c.self.sub_(c.operand(1), alphaOf(c)),
  mul_: (c) => c.self.mul_(c.operand(1)),
  pow_: (c) => c.self.pow_(c.operand(1)),
  remainder_: (c) => c.self.remainder_(c.operand(1)),
  fill_: (c) => c.self.fill_(c.operand(1)),
  floor_divide_: (c) => c.self.floorDivide_(c.operand(1)),
  bitwise_or_: (c) => c.self.bitwiseOr_(c.operand(1)),
  equal: (c) => c.self.equal(c.tensor(1)),
  div_: (c) => c.self.div_(c.operand(1)),
  eq: (c) => c.self.eq(c.operand(1)),
  ne: (c) => c.self.ne(c.operand(1)),
  lt: (c) => c.self.lt(c.operand(1)),
  le: (c) => c.self.le(c.operand(1)),
  gt: (c) => c.self.gt(c.operand(1)),
  // Python swaps the operands of a comparison whose left one is a number.
  ge: (c) => c.isTensor(0) ? c.self.ge(c.operand(1)) : c.tensor(1).le(c.operand(0)),
  where: (c) => where(c.self, c.operand(1), c.operand(2)),
  copy_: (c) => c.self.copy_(c.tensor(1)),
  matmul: (c) => matmul(c.self, c.tensor(1)),
  dot: (c) => c.self.matmul(c.tensor(1)),
  linear: (c) => functional.linear(c.self, c.tensor(1), c.isTensor(2) ? c.tensor(2) : null),
  allclose: (c) => c.self.allclose(c.tensor(1)),
};

const SHAPING: Readonly<Record<string, Run>> = {
  view: (c) => c.self.view(c.list("size")),
  reshape: (c) => c.self.reshape(c.list("shape")),
  flatten: (c) => c.self.flatten(c.optional("start_dim"), c.optional("end_dim")),
  unflatten: (c) => c.self.unflatten(c.num("dim"), c.list("sizes")),
  permute: (c) => c.self.permute(c.list("dims")),
  transpose: (c) => c.self.transpose(c.num("dim0"), c.num("dim1")),
  t: (c) => c.self.t(),
  expand: (c) => c.self.expand(c.list("size")),
  squeeze: (c) => c.self.squeeze(c.dims("dim")),
  unsqueeze: (c) => c.self.unsqueeze(c.num("dim")),
  select: (c) => c.self.select(c.num("dim"), c.num("index")),
  narrow: (c) => c.self.narrow(c.num("dim"), c.num("start"), c.num("length")),
  diagonal: (c) => c.self.diagonal(c.optional("offset"), c.optional("dim1"), c.optional("dim2")),
  flip: (c) => c.self.flip(c.list("dims")),
  repeat: (c) => c.self.repeat(c.list("repeats")),
  cat: (c) => cat(c.tensors(0), c.optional("dim")),
  stack: (c) => stack(c.tensors(0), c.optional("dim")),
  split: (c) => c.self.split(c.dims("split_size") ?? 0, c.optional("dim")),
  chunk: (c) => c.self.chunk(c.num("chunks"), c.optional("dim")),
  unbind: (c) => c.self.unbind(c.optional("dim")),
  index: (c) => c.self.at(...indexParts(c.arg("index"))),
  index_select: (c) => c.self.indexSelect(c.number(1), c.tensor(2)),
  gather: (c) => c.self.gather(c.number(1), c.tensor(2)),
  scatter: (c) => c.self.scatter(c.number(1), c.tensor(2), c.isTensor(3) ? c.tensor(3) : c.number(3)),
  nonzero: (c) => c.self.nonzero(),
  masked_select: (c) => c.self.maskedSelect(c.tensor(1)),
  masked_fill: (c) => c.self.maskedFill(c.tensor(1), c.operand(2)),
  take: (c) => c.self.take(c.tensor(1)),
  item: (c) => c.self.item(),
  requires_grad_: (c) => c.self.requiresGrad_(),
};

const REDUCTION: Readonly<Record<string, Run>> = {
  sum: (c) => c.self.sum(c.dims("dim"), { keepdim: c.arg("keepdim") === true, ...c.dtype }),
  prod: (c) => c.self.prod(c.dims("dim"), { keepdim: c.arg("keepdim") === true, ...c.dtype }),
  mean: (c) => c.self.mean(c.dims("dim"), { keepdim: c.arg("keepdim") === true, ...c.dtype }),
  max: (c) => c.has("dim") ? c.self.max(c.num("dim"), c.arg("keepdim") === true) : c.self.max(),
  min: (c) => c.has("dim") ? c.self.min(c.num("dim"), c.arg("keepdim") === true) : c.self.min(),
  argmax: (c) => c.self.argmax(c.optional("dim"), c.arg("keepdim") === true),
  argmin: (c) => c.self.argmin(c.optional("dim"), c.arg("keepdim") === true),
  any: (c) => c.self.any(c.dims("dim"), c.arg("keepdim") === true),
  all: (c) => c.self.all(c.dims("dim"), c.arg("keepdim") === true),
  amax: (c) => c.self.amax(c.dims("dim"), c.arg("keepdim") === true),
  amin: (c) => c.self.amin(c.dims("dim"), c.arg("keepdim") === true),
  var: (c) => c.self.var(c.dims("dim"), spread(c)),
  std: (c) => c.self.std(c.dims("dim"), spread(c)),
  norm: (c) => c.self.norm(c.arg("p") === "fro" ? "fro" : c.has("p") ? Number(c.bound("p")) : undefined, c.dims("dim")),
  cumsum: (c) => c.self.cumsum(c.num("dim"), c.dtype),
  softmax: (c) => c.self.softmax(c.num("dim"), c.dtype),
  log_softmax: (c) => c.self.logSoftmax(c.num("dim"), c.dtype),
};

const CREATION: Readonly<Record<string, Run>> = {
  arange: (c) => {
    const [a, b, step] = c.numbers("values");
    if (b === undefined) return arange(a, c.dtype);
    return step === undefined ? arange(a, b, c.dtype) : arange(a, b, step, c.dtype);
  },
  eye: (c) => {
    const [rows, cols] = c.list("values");
    return cols === undefined ? eye(rows, c.dtype) : eye(rows, cols, c.dtype);
  },
  zeros: (c) => zeros(c.list("values")),
  full: (c) => {
    const [shape, value] = entries(c.arg("values"));
    return full(sizes(shape), typeof value === "boolean" ? value : integerLike(Number(value)));
  },
  randint: (c) => {
    const [low, high, shape] = entries(c.arg("values"));
    return randint(Number(low), Number(high), sizes(shape));
  },
  randperm: (c) => randperm(c.list("values")[0]),
  tensor: (c) => tensor(pythonData(c.arg("data"), !c.has("dtype")), c.dtype),
};

/** Every operation of the fixtures. `bool` has no counterpart: every object is true in JavaScript. */
export const CALLS: Readonly<Record<string, Run>> = { ...UNARY, ...BINARY, ...SHAPING, ...REDUCTION, ...CREATION };

/** An input of a case: `@name`, a spelled tensor, `{"scalar": 2}` or a list. */
export function inputOf(value: unknown, tensors: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((part) => inputOf(part, tensors));
  if (typeof value === "string") return tensorOf(value.startsWith("@") ? tensors[value.slice(1)] : value);
  return scalarOf(value);
}

/** A number of the fixture: those that JSON lacks are words, and integers beyond 2⁵³ end in `n`. */
export function numberOf(value: unknown): number | bigint | boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "string" && /^-?\d+n$/.test(value)) return BigInt(value.slice(0, -1));
  const words: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  return words[String(value)] ?? Number(value);
}

function scalarOf(value: unknown): number | bigint | boolean {
  if (typeof value !== "object" || value === null || !("scalar" in value)) throw new TypeError("Not an input");
  return numberOf(value.scalar);
}

function alphaOf(c: Call): { readonly alpha?: number } {
  return c.has("alpha") ? { alpha: c.num("alpha") } : {};
}

function approximation(name: unknown): "none" | "tanh" {
  // A wrong name must reach the function, which refuses it.
  return JSON.parse(JSON.stringify(name));
}

function spread(c: Call) {
  return { keepdim: c.arg("keepdim") === true, ...(c.has("correction") ? { correction: c.num("correction") } : {}) };
}

function indexParts(value: unknown): IndexPart[] {
  return entries(value).map((part) => {
    if (part === null || part === "..." || typeof part === "number") return part;
    if (typeof part === "string") return tensorOf(part);
    if (typeof part !== "object" || !("slice" in part)) throw new TypeError("Not an index");
    const [start, end, step] = entries(part.slice).map((at) => typeof at === "number" ? at : undefined);
    return { start, end, step };
  });
}

/** Python's integers become bigints where the dtype is to follow from the values. */
function pythonData(value: unknown, infers: boolean): Parameters<typeof tensor>[0] {
  if (Array.isArray(value)) {
    const flat = value.flat(Infinity);
    const whole = infers && flat.length > 0 && flat.every((x) => Number.isInteger(x) || typeof x === "boolean");
    return value.map((part) => Array.isArray(part) || whole ? pythonData(part, whole) : plain(part));
  }
  return infers ? integerLike(plain(value)) : plain(value);
}

function integerLike<T>(value: T): T | bigint {
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value;
}

function plain(value: unknown): number | boolean {
  if (typeof value === "number" || typeof value === "boolean") return value;
  throw new TypeError("Not a number");
}

function entries(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError("Not a list");
}

function sizes(value: unknown): Shape {
  return entries(value).map(Number);
}
