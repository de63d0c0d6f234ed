/**
 * One step of an accepted plan, carried out: a tensor into a module.
 *
 * @module
 */

import type { TensorTransfer } from "../plan/rows.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/** Writes `source` into the module's tensor, or puts it in its place, as the step says. */
export function transferTensor(root: Module, step: TensorTransfer, source: Tensor): void {
  const owner = root.getSubmodule(step.modulePath);
  const target = owner.registered(step.name);
  if (!(target instanceof Tensor)) {
    throw new TypeError(`Cannot load "${step.key}": the model has no such tensor any more`);
  }
  const values = arranged(step, source);
  if (step.assign) replace(owner, step.name, { target, values });
  else leadingRegion(target, step.region).copy_(leadingRegion(values, step.region));
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
