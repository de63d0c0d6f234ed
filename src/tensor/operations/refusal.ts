/**
 * What an operation says to a dtype that it does not compute, in PyTorch's words.
 *
 * @module
 */

import type { DType } from "../../dtype.ts";
import { UnsupportedError } from "../../errors.ts";
import type { BinaryName, CompareName, ReduceName, UnaryName } from "../../core/kernels.ts";
import { isComplex, isComputable, typeName } from "../promotion.ts";

/** An operation that refuses dtypes. */
export type OperationName = BinaryName | CompareName | ReduceName | UnaryName | "cumsum" | "var";

/** PyTorch's CPU kernels, as its messages name them (the first argument of `AT_DISPATCH_…`). */
const KERNELS: Readonly<Partial<Record<OperationName, string>>> = {
  relu: "clamp_min_scalar_cpu",
  gelu: "GeluKernelImpl",
  geluTanh: "GeluKernelImpl",
  silu: "silu_cpu",
  leakyRelu: "leaky_relu_cpu",
  softplus: "softplus_cpu",
  elu: "elu_cpu",
  clamp: "clamp_scalar_cpu",
  square: "pow",
  bitwiseNot: "bitwise_not_cpu",
  logicalNot: "logical_not_cpu",
  add: "add_stub",
  sub: "add_stub",
  pow: "pow",
  floorDivide: "div_floor_cpu",
  bitwiseAnd: "bitwise_and_cpu",
  bitwiseOr: "bitwise_or_cpu",
  bitwiseXor: "bitwise_xor_cpu",
  prod: "prod_out_cpu",
  max: "max_values_cpu",
  min: "min_values_cpu",
  norm2: "norm_cpu",
  cumsum: "cumsum_out_cpu",
};

/** Operations that PyTorch hands to its vectorised mathematics. */
const VECTORISED: ReadonlySet<OperationName> = new Set(
  [
    "tanh",
    "exp",
    "log",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "erf",
    "floor",
    "ceil",
    "round",
    "trunc",
    "log1p",
    "expm1",
    "log2",
    "log10",
  ] as const,
);

/** What PyTorch says to booleans in words of its own. */
const BOOLEAN_TEXT: Readonly<Partial<Record<OperationName, string>>> = {
  relu: "Boolean inputs not supported for relu",
  neg:
    "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` " +
    "or `logical_not()` operator instead.",
};

/** `"exp_vml_cpu" not implemented for 'Bool'` and its kin. */
export function notImplemented(name: OperationName, dtype: DType): TypeError {
  const text = dtype === "bool" ? BOOLEAN_TEXT[name] : undefined;
  return new TypeError(text ?? `"${kernelName(name)}" not implemented for '${typeName(dtype)}'`);
}

/**
 * Refuses a dtype that the core does not compute in.
 *
 * @throws {UnsupportedError} It is complex: PyTorch would compute.
 * @throws {TypeError} It is a wide unsigned integer or a float of 8 bits, which PyTorch refuses nearly everywhere too.
 */
export function requireComputable(name: OperationName, dtype: DType): void {
  if (isComputable(dtype)) return;
  if (!isComplex(dtype)) throw notImplemented(name, dtype);
  throw new UnsupportedError(
    `Cannot compute "${name}" in ${dtype}: complex tensors are stored, cast and compared for equality only`,
    `${name} in ${dtype}`,
  );
}

function kernelName(name: OperationName): string {
  return KERNELS[name] ?? `${name}_${VECTORISED.has(name) ? "vml_cpu" : "cpu"}`;
}
