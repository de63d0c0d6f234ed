/** Values of a checkpoint in the form in which `tests/fixtures/generators/_facts.py` writes what PyTorch sees. */

import { isDict, isObject, isSequence, isSet } from "../../src/checkpoint/inert.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import type { Inert, InertObject } from "../../src/state_dict.ts";

/** What is JSON's own stands for itself, and anything else is an object with one name. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/** A value with everything in it, the bytes of its tensors included. It contains itself nowhere. */
export async function plain(value: Inert): Promise<Plain> {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return { int: String(value) };
  if (typeof value === "number") return Number.isFinite(value) ? value : { float: String(value) };
  if (value instanceof Uint8Array) return { bytes: value.toHex() };
  if (value instanceof StoredTensor) return { tensor: await plainTensor(value) };
  if (isSequence(value)) return Object.isFrozen(value) ? { tuple: await all(value) } : await all(value);
  if (isSet(value)) return { set: await all([...value]) };
  if (isDict(value)) return { dict: await all([...value].map((pair) => [...pair])) };
  if (isObject(value)) return await plainObject(value);
  throw new TypeError("A value that no checkpoint has");
}

async function all(values: readonly Inert[]): Promise<Plain[]> {
  const found: Plain[] = [];
  for (const value of values) found.push(await plain(value));
  return found;
}

async function plainTensor(tensor: StoredTensor): Promise<Plain> {
  const about = { dtype: tensor.dtype, shape: [...tensor.shape] };
  try {
    tensor.check();
  } catch {
    return about;
  }
  return { ...about, bytes: (await tensor.read()).toHex() };
}

async function plainObject({ module, name, args, state, items }: InertObject): Promise<Plain> {
  const fullName = `${module}.${name}`;
  if (args === undefined) return { global: fullName };
  return {
    object: fullName,
    args: await all(args),
    ...(state === undefined ? {} : { state: await plain(state) }),
    ...(items === undefined ? {} : { items: await plain(items) }),
  };
}
