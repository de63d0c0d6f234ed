/**
 * The steps of an accepted plan, carried out: values into a module, and what can be wrong about one before it starts.
 *
 * @module
 */

import { isDType } from "../dtype.ts";
import type { DType } from "../dtype.ts";
import { loadErrorText } from "../plan/message.ts";
import type { ModelRow, PlanRows, Problem, TensorTransfer, Transfer } from "../plan/rows.ts";
import { sameShape, torchSize } from "../shape.ts";
import { largestOf } from "../tensor/elements.ts";
import { castInto, isCast, moveInto } from "../tensor/operations/moving.ts";
import { viewOf } from "../tensor/tensor.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { View } from "../tensor/view.ts";
import type { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/** What PyTorch's `copy_` says of a target in which elements share a place. */
const SHARED_PLACE =
  "unsupported operation: more than one element of the written-to tensor refers to a single memory " +
  "location. Please clone() the tensor before performing the operation.";

/** The value of a step. */
export interface TransferValue {
  /** The checkpoint's tensor. */
  readonly source: Tensor;
  /** Whether nobody looks at it afterwards, so that its bytes may become the model's. */
  readonly owned: boolean;
}

/**
 * Writes the checkpoint's tensor into the module's, or puts it in its place, as the step says.
 *
 * @returns How many finite values its cast left infinite or NaN.
 */
export function transferTensor(root: Module, step: TensorTransfer, { source, owned }: TransferValue): number {
  const { owner, target } = targetOf(root, step);
  const values = arranged(step, source);
  if (step.assign) {
    replace(owner, step.name, { target, values });
    return 0;
  }
  const [to, from] = [leadingRegion(target, step.region), leadingRegion(values, step.region)];
  const counts = mayOverflow(from.dtype, to.dtype);
  const isMoved = owned && from === source;
  const lost = isMoved ? castInto(viewOf(to), viewOf(from), { counts }) : null;
  if (lost !== null) return lost;
  // Counted before: what is moved is gone afterwards.
  const finite = counts ? finiteCount(from) : null;
  if (isMoved) moveInto(viewOf(to), viewOf(from));
  else to.copy_(from);
  return finite === null ? 0 : finite - finiteCount(to);
}

/** A cast that can be carried out part by part: see {@linkcode castOf}. */
export interface WholeCast {
  /** What is written to. */
  readonly target: View;
  /** Whether values may be too large for it. */
  readonly counts: boolean;
}

/** What a step writes to, where it casts into all of a tensor; `null` for every other step. */
export function castOf(
  root: Module,
  { action, assign, transpose, from, to, region, ...step }: TensorTransfer,
): WholeCast | null {
  if (action !== "copy" || assign || transpose || !isDType(from.dtype)) return null;
  const target = viewOf(targetOf(root, step).target);
  const isWhole = sameShape(from.shape, target.shape) && sameShape(region, target.shape) && target.isWhole;
  if (!isWhole || !isCast(target, { dtype: from.dtype })) return null;
  return { target, counts: mayOverflow(from.dtype, to.dtype) };
}

/** Whether a number of one element type may be too large for another, a floating point one. */
function mayOverflow(from: DType, to: DType): boolean {
  return largestOf(from) > largestOf(to);
}

function finiteCount(tensor: Tensor): number {
  return Number(tensor.isfinite().sum().item());
}

/**
 * Adds to a plan what only the tensors themselves tell: a parameter that cannot be written to, because elements of it
 * share a place. PyTorch notices when it copies.
 */
export function withCopyProblems(plan: PlanRows, { root, rows }: { root: Module; rows: ModelRow }): PlanRows {
  const found = plan.transfers.flatMap((step) => isCopy(step) && sharesPlaces(root, step) ? [copyProblem(step)] : []);
  if (found.length === 0) return plan;
  const torch = (plan.errorText ?? "").split("\n\t").slice(1);
  const errorText = loadErrorText(rows.className, [...torch, ...found.map(({ message }) => message)]);
  const failed = new Set(found.flatMap(({ keys }) => keys));
  return {
    ...plan,
    ok: false,
    problems: [...plan.problems, ...found],
    errorText,
    loaded: plan.loaded.filter((key) => !failed.has(key)),
  };
}

/**
 * Checks that fields which `assign` replaces can be replaced, before anything is written.
 *
 * @throws {TypeError} One is read-only.
 */
export function requireReplaceable(root: Module, steps: readonly Transfer[]): void {
  for (const step of steps) {
    if (!isTensorTransfer(step) || !step.assign) continue;
    const { owner } = targetOf(root, step);
    const field = Object.getOwnPropertyDescriptor(owner, step.name);
    if (field === undefined || field.writable === true) continue;
    throw new TypeError(`Cannot assign "${step.key}": the field of ${owner.constructor.name} is read-only`);
  }
}

/** Which of the steps write to memory that another of them writes to as well: their order matters. */
export function sharedTargets(root: Module, steps: readonly TensorTransfer[]): ReadonlySet<number> {
  const first = new Map<unknown, number>();
  const shared = new Set<number>();
  for (const [index, step] of steps.entries()) {
    const { storage } = viewOf(targetOf(root, step).target);
    const other = first.get(storage);
    if (other === undefined) first.set(storage, index);
    else shared.add(other).add(index);
  }
  return new Set([...shared].sort((a, b) => a - b));
}

/** Whether a step carries a tensor. */
export function isTensorTransfer(step: Transfer): step is TensorTransfer {
  return step.action !== "keep" && step.action !== "extra-state";
}

function isCopy(step: Transfer): step is TensorTransfer {
  return isTensorTransfer(step) && !step.assign;
}

function sharesPlaces(root: Module, step: TensorTransfer): boolean {
  const { target } = targetOf(root, step);
  return target.strides.some((stride, dim) => stride === 0 && step.region[dim] > 1);
}

/** PyTorch's line; what follows "occurred :" is Python's tuple of the exception's arguments. */
function copyProblem({ key, to, from, action }: TensorTransfer): Problem {
  const read = action === "element" ? to.shape : from.shape;
  const message = `While copying the parameter named "${key}", whose dimensions in the model are ` +
    `${torchSize(to.shape)} and whose dimensions in the checkpoint are ${torchSize(read)}, ` +
    `an exception occurred : ('${SHARED_PLACE}',).`;
  return { kind: "assign", message, keys: [key] };
}

function targetOf(
  root: Module,
  step: Pick<TensorTransfer, "modulePath" | "name" | "key">,
): { readonly owner: Module; readonly target: Parameter | Buffer } {
  const owner = root.getSubmodule(step.modulePath);
  const target = owner.registered(step.name);
  if (target instanceof Parameter || target instanceof Buffer) return { owner, target };
  throw new TypeError(`Cannot load "${step.key}": the model has no such tensor any more`);
}

/** The checkpoint's tensor as the model has it: transposed, or its one element alone. */
function arranged(step: TensorTransfer, source: Tensor): Tensor {
  const turned = step.transpose ? source.transpose(-1, -2) : source;
  return step.action === "element" ? turned.reshape([]) : turned;
}

function leadingRegion(tensor: Tensor, region: readonly number[]): Tensor {
  return region.reduce(
    (part, length, dim) => length === part.shape[dim] ? part : part.narrow(dim, 0, length),
    tensor,
  );
}

/** PyTorch's `assign`: the checkpoint's tensor takes the place of the model's, which keeps its wish for gradients. */
function replace(
  owner: Module,
  name: string,
  { target, values }: { readonly target: Parameter | Buffer; readonly values: Tensor },
): void {
  if (target instanceof Parameter) {
    const parameter = values instanceof Parameter ? values : new Parameter(values, false);
    owner.registerParameter(name, parameter.requiresGrad_(target.requiresGrad));
  } else {
    owner.registerBuffer(name, new Buffer(values, { persistent: target.persistent }));
  }
}
