/**
 * PyTorch's rebuild functions: how the arguments in a pickle describe a tensor. Each row of the table reads the
 * arguments of one function; none of them touches a byte of tensor data.
 *
 * Source: `torch/_utils.py`, `torch/_tensor.py` and `torch/nn/parameter.py`.
 *
 * @module
 */

import { type DType, DTYPE_NAMES, DTYPES, isDType, isRareDType, itemSize, type RareDType } from "../dtype.ts";
import { CheckpointError } from "../errors.ts";
import { contiguousStrides, numelOf, type Shape } from "../shape.ts";
import { type Inert, isLazyTensor } from "../state_dict.ts";
import { openMemory } from "../bytes/memory.ts";
import { spanOf } from "./gather.ts";
import { isCount, isDict, isObject, isSequence } from "./inert.ts";
import { enforce, type Limits } from "./limits.ts";
import { type NumpyArray, numpyArray } from "./numpy.ts";
import { changed, type Storage } from "./storage.ts";
import { StoredTensor, type TensorDescription } from "./stored_tensor.ts";

/** More elements than any file holds, small enough that every count of bytes stays exact. */
export const MAX_ELEMENTS = Number.MAX_SAFE_INTEGER / 16;

/** How many bytes are narrowed in the time of one step of a pickle, about. */
const BYTES_PER_STEP = 64;

/** What every size, stride and offset is, for errors. */
const COUNT = "expected a whole number from 0 to 2^53 - 1";

/** Storage classes of dtypes that are listed and not read. */
const RARE_STORAGES: ReadonlyMap<string, RareDType> = new Map([
  ["QInt8Storage", "qint8"],
  ["QUInt8Storage", "quint8"],
  ["QInt32Storage", "qint32"],
  ["QUInt4x2Storage", "quint4x2"],
  ["QUInt2x4Storage", "quint2x4"],
]);

/** The dtypes of all storage classes with one. */
const STORAGE_DTYPES: ReadonlyMap<string | null, DType | RareDType> = new Map<string | null, DType | RareDType>([
  ...DTYPE_NAMES.map((dtype) => [DTYPES[dtype].storage, dtype] as const),
  ...RARE_STORAGES,
]);

/** The classes of storages that are bytes; the second is the name of PyTorch 1.11. */
const UNTYPED_STORAGES: ReadonlySet<string> = new Set(["UntypedStorage", "_UntypedStorage"]);

/** How many elements of a quantised dtype share a byte, where several do. */
const ELEMENTS_PER_BYTE: ReadonlyMap<DType | RareDType, number> = new Map<DType | RareDType, number>([
  ["quint4x2", 2],
  ["quint2x4", 4],
]);

/** A storage as a persistent id names it. */
export interface TypedStorage {
  /** The bytes. */
  readonly storage: Storage;
  /** The dtype of its class; `null` for untyped bytes. */
  readonly dtype: DType | RareDType | null;
  /** Elements before the first: not 0 where it is a view of a larger one. */
  readonly start: number;
  /** How many elements it has where it is a view of a larger one; `null` where it has all. */
  readonly length: number | null;
}

/** What the rebuild functions need to know of the file they are in. */
export interface RebuildContext {
  /** The format, for errors. */
  readonly format: string;
  /** What the file may ask for. */
  readonly limits: Limits;
  /** The storage that a value of the pickle stands for. */
  storageOf(value: Inert): TypedStorage | undefined;
  /** A storage of its own for bytes that are in the pickle. */
  hold(elements: { readonly bytes: Uint8Array; readonly bigEndian: boolean }): Storage;
  /** Counts steps, of which a pickle may take so many. */
  spend(steps: number): void;
}

/** Reads the arguments of one function; `undefined` where they are of a kind that it does not know. */
export type Rebuild = (args: readonly Inert[], context: RebuildContext) => StoredTensor | undefined;

/** The rebuild functions by their full name. */
export const REBUILD_FUNCTIONS: ReadonlyMap<string, Rebuild> = new Map<string, Rebuild>([
  ["torch._utils._rebuild_tensor", rebuildTensor],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_tensor_v3", rebuildTensorOfDType],
  ["torch._utils._rebuild_qtensor", rebuildQuantised],
  ["torch._utils._rebuild_sparse_tensor", rebuildSparse],
  ["torch._utils._rebuild_sparse_csr_tensor", rebuildSparse],
  ["torch._utils._rebuild_nested_tensor", rebuildNested],
  ["torch.nested._internal.nested_tensor._rebuild_njt", rebuildJagged],
  ["torch._utils._rebuild_meta_tensor_no_storage", rebuildMeta],
  ["torch._utils._rebuild_wrapper_subclass", rebuildWrapper],
  ["torch._utils._rebuild_device_tensor_from_numpy", rebuildFromNumpy],
  ["torch._utils._rebuild_xla_tensor", rebuildFromNumpy],
  ["torch._utils._rebuild_device_tensor_from_cpu_tensor", rebuildFromCpu],
  ["torch._utils._rebuild_parameter", rebuildParameter],
  ["torch._utils._rebuild_parameter_with_state", rebuildParameter],
  ["torch.nn.parameter.Parameter", newTensor],
  ["torch.nn.parameter.Buffer", newTensor],
  ["torch.autograd.variable.Variable", newTensor],
  ["torch.Tensor", newTensor],
]);

/** `torch.FloatTensor`, `torch.cuda.HalfTensor` and their like, which old files call without arguments. */
export function isTensorClass(fullName: string): boolean {
  const match = /^torch\.(?:cuda\.)?(\w+)Tensor$/.exec(fullName);
  return match !== null && storageDType(`${match[1]}Storage`) !== undefined;
}

/** The dtype of a storage class, `null` for untyped bytes, `undefined` if it is no storage class. */
export function storageDType(className: string): DType | RareDType | null | undefined {
  if (UNTYPED_STORAGES.has(className)) return null;
  return STORAGE_DTYPES.get(className);
}

/** Calls the class of a tensor: without arguments an empty one, which `BUILD` fills. */
export function newTensor(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  if (args.length > 0) return rebuildParameter(args, context);
  return describe(context, { dtype: "float32", shape: [0], strides: [1], storageOffset: 0, storage: NO_STORAGE });
}

/**
 * What `Tensor.__setstate__` does with the state of an old pickle: 4 values are a tensor's storage, offset, size and
 * stride; 5 are a variable's, beginning with its data; of 3 only the first means anything here.
 */
export function setTensorState(target: StoredTensor, state: Inert, context: RebuildContext): void {
  if (!isSequence(state)) return; // attributes of a subclass, which are no data
  if (state.length === 4) {
    const filled = rebuildTensor(state, context);
    if (filled === undefined) throw malformed(context, "the state of a tensor names no storage");
    target.become(filled.description);
  } else if (state.length === 5) {
    const [data, , , requiresGrad] = state;
    if (!isStored(data)) throw malformed(context, "the state of a variable holds no tensor");
    target.become({ ...data.description, requiresGrad: requiresGrad === true });
  } else if (state.length === 3) {
    target.become({ ...target.description, requiresGrad: state[0] === true });
  }
}

const NO_STORAGE: Storage = {
  id: "",
  byteLength: 0,
  bytes: openMemory(new Uint8Array(0)),
  offset: null,
  source: null,
  bigEndian: false,
  fault: null,
};

/** `(storage, storage_offset, size, stride[, requires_grad, hooks[, metadata]])`. */
function rebuildTensor(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const typed = context.storageOf(args[0]);
  if (typed === undefined) return undefined;
  const { dtype, storage } = typed;
  if (dtype === null) throw malformed(context, "a tensor on untyped bytes has no dtype");
  const { shape, strides } = geometry(context, args[2], args[3]);
  const offset = count(context, args[1], "a storage offset");
  const storageOffset = placeIn(typed, { offset, shape, strides }, context);
  const about = { dtype, shape, strides, storageOffset, storage, requiresGrad: args[4] === true };
  if (args.length <= 6) return new StoredTensor(about, context);
  return describe(context, { ...about, metadata: args[6] });
}

/** `(storage, storage_offset, size, stride, requires_grad, hooks, dtype[, metadata])`. */
function rebuildTensorOfDType(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [storage, offset, size, stride, requiresGrad, , dtypeValue, metadata] = args;
  const typed = context.storageOf(storage);
  const dtype = dtypeOf(dtypeValue);
  if (typed === undefined || dtype === undefined) return undefined;
  // A view counts elements of its own dtype. The files that have views are older than this function.
  if (typed.length !== null) throw malformed(context, "a tensor with a dtype of its own is on a view of a storage");
  const storageOffset = count(context, offset, "a storage offset");
  const view = { dtype, storage: typed.storage, ...geometry(context, size, stride), requiresGrad };
  return describe(context, { ...view, storageOffset, metadata });
}

/** `(storage, storage_offset, size, stride, quantizer, requires_grad, hooks)`. */
function rebuildQuantised(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [storage, offset, size, stride, , requiresGrad] = args;
  const tensor = rebuildTensor([storage, offset, size, stride, requiresGrad], context);
  if (tensor === undefined) return undefined;
  const perByte = ELEMENTS_PER_BYTE.get(tensor.dtype);
  const packed = perByte === undefined ? {} : { byteLength: Math.ceil(numelOf(tensor.shape) / perByte) };
  return describe(context, { ...tensor.description, ...packed, unsupported: "quantised tensor" });
}

/** `(layout, data)`: `(indices, values, size, …)` for COO, `(compressed, plain, values, size)` for the others. */
function rebuildSparse(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [layout, data] = args;
  if (!isSequence(data)) return undefined;
  const layoutName = isObject(layout) ? layout.args?.[0] : undefined;
  const [values, size] = layoutName === "torch.sparse_coo" ? [data[1], data[2]] : [data[2], data[3]];
  if (!isStored(values)) return undefined;
  const shape = sizes(context, size, "a size");
  return describe(context, { ...values.description, ...dense(shape), unsupported: "sparse tensor" });
}

/** `(values, sizes, strides, offsets)`: tensors of several sizes, which together have none. It is listed as its values. */
function rebuildNested(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [values] = args;
  return isStored(values) ? describe(context, { ...values.description, unsupported: "nested tensor" }) : undefined;
}

/** The arguments by their names, in one dict. */
function rebuildJagged(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [named] = args;
  const values = named !== undefined && isDict(named) ? named.get("values") : undefined;
  return values === undefined ? undefined : rebuildNested([values], context);
}

/** `(dtype, size, stride, requires_grad)`. */
function rebuildMeta(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [dtypeValue, size, stride, requiresGrad] = args;
  const dtype = dtypeOf(dtypeValue);
  if (dtype === undefined) return undefined;
  const view = { dtype, storage: NO_STORAGE, storageOffset: 0, ...geometry(context, size, stride), requiresGrad };
  return describe(context, { ...view, unsupported: "meta tensor" });
}

/** `(class, dtype, size, stride, storage_offset, layout, device, requires_grad)`. */
function rebuildWrapper(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [, dtypeValue, size, stride, , , , requiresGrad] = args;
  const tensor = rebuildMeta([dtypeValue, size, stride, requiresGrad], context);
  return tensor && describe(context, { ...tensor.description, unsupported: "tensor subclass without data" });
}

/** `(array, dtype, device, requires_grad)`. */
function rebuildFromNumpy(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [value, dtypeValue, , requiresGrad] = args;
  const dtype = dtypeOf(dtypeValue);
  const array = numpyArray(value);
  if (dtype === undefined || array === undefined) return undefined;
  const shape = sizes(context, array.shape, "a size");
  const strides = array.isFortran ? contiguousStrides(shape.toReversed()).toReversed() : contiguousStrides(shape);
  const view = { dtype, shape, strides, storageOffset: 0, requiresGrad };
  const bytes = bytesAs(dtype, array, context);
  if (bytes === null || array.elements === null) {
    const isCast = array.elements !== null && array.bytes !== null;
    const unsupported = isCast ? `tensor that is cast to ${dtype}` : "tensor saved through NumPy";
    return describe(context, { ...view, storage: NO_STORAGE, unsupported });
  }
  const storage = context.hold({ bytes, bigEndian: array.elements.bigEndian });
  const needed = numelOf(shape) * itemSize(dtype);
  if (bytes.length === needed) return describe(context, { ...view, storage });
  const problem = `the array has ${bytes.length} bytes, its shape says ${needed}`;
  return describe(context, { ...view, storage: changed(storage, { fault: { problem } }) });
}

/** The elements of an array as those of a tensor; `null` where more than their bytes would have to change. */
function bytesAs(
  dtype: DType | RareDType,
  { elements, bytes }: NumpyArray,
  context: RebuildContext,
): Uint8Array | null {
  if (bytes === null || elements === null || elements.dtype === dtype) return bytes;
  // NumPy has no bfloat16: PyTorch hands it float32.
  if (dtype !== "bfloat16" || elements.dtype !== "float32") return null;
  context.spend(Math.ceil(bytes.length / BYTES_PER_STEP));
  return upperHalves(bytes, elements);
}

/** The upper halves of float32 whose lower halves are 0, `null` where one is not: what bfloat16 was before it was widened. */
function upperHalves(bytes: Uint8Array, { bigEndian }: { readonly bigEndian: boolean }): Uint8Array | null {
  const halves = new Uint8Array(bytes.length >> 1);
  const upper = bigEndian ? 0 : 2;
  for (let from = 0, to = 0; from + 4 <= bytes.length; from += 4, to += 2) {
    const lower = from + 2 - upper;
    if ((bytes[lower] | bytes[lower + 1]) !== 0) return null;
    halves[to] = bytes[from + upper];
    halves[to + 1] = bytes[from + upper + 1];
  }
  return halves;
}

/** `(tensor, dtype, device, requires_grad)`. */
function rebuildFromCpu(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [tensor, dtypeValue, , requiresGrad] = args;
  const dtype = dtypeOf(dtypeValue);
  if (!isStored(tensor) || dtype === undefined) return undefined;
  const cast = tensor.dtype === dtype ? {} : { dtype, unsupported: `tensor that is cast to ${dtype}` };
  return describe(context, { ...tensor.description, ...cast, requiresGrad });
}

/** `(tensor, requires_grad, hooks[, attributes])`. */
function rebuildParameter(args: readonly Inert[], context: RebuildContext): StoredTensor | undefined {
  const [tensor, requiresGrad] = args;
  return isStored(tensor)
    ? describe(context, { ...tensor.description, requiresGrad: requiresGrad ?? true })
    : undefined;
}

/** A description in the making: what came out of the pickle is still of any kind. */
type Draft = Omit<TensorDescription, "requiresGrad"> & {
  readonly requiresGrad?: Inert;
  readonly metadata?: Inert;
};

function describe(context: RebuildContext, draft: Draft): StoredTensor {
  const { dtype, shape, strides, storageOffset, storage, byteLength, unsupported, metadata } = draft;
  const flags = metadata !== undefined && isDict(metadata)
    ? { conjugate: metadata.get("conj") === true, negative: metadata.get("neg") === true }
    : undefined;
  const pending = flags ?? draft.pending;
  const requiresGrad = draft.requiresGrad === true;
  const description = { dtype, shape, strides, storageOffset, storage, requiresGrad, pending, byteLength, unsupported };
  return new StoredTensor(description, context);
}

function geometry(context: RebuildContext, size: Inert, stride: Inert): { shape: Shape; strides: readonly number[] } {
  const shape = sizes(context, size, "a size");
  const strides = sizes(context, stride, "a stride");
  if (shape.length === strides.length) return { shape, strides };
  throw malformed(context, `a tensor has ${shape.length} sizes and ${strides.length} strides`);
}

/** Where a tensor begins in the bytes of its storage. On a view of a storage it may not reach beyond the view. */
function placeIn(
  { start, length }: TypedStorage,
  view: { readonly offset: number; readonly shape: Shape; readonly strides: readonly number[] },
  context: RebuildContext,
): number {
  const { offset } = view;
  if (length === null) return start + offset;
  const needed = spanOf(view);
  if (needed > 0 && offset + needed > length) {
    throw malformed(context, `a tensor needs ${needed} elements at ${offset} of a view of ${length}`);
  }
  return start + offset;
}

function dense(shape: Shape): { shape: Shape; strides: readonly number[] } {
  return { shape, strides: contiguousStrides(shape) };
}

function sizes(context: RebuildContext, value: Inert | undefined, what: string): readonly number[] {
  if (value === undefined || !isSequence(value)) throw malformed(context, `${what} is not a tuple`);
  enforce(context.limits, "rank", { found: value.length, what: "a tensor's dimensions" });
  requireCounts(context, value, what);
  let elements = 1;
  for (let i = 0; i < value.length; i++) elements *= Math.max(value[i], 1);
  if (what === "a size" && elements > MAX_ELEMENTS) {
    throw malformed(context, `a tensor of size (${value.join(", ")}) is larger than any file`);
  }
  // A tuple stays as it is; to a list the pickle may still append.
  return Object.isFrozen(value) ? value : Object.freeze([...value]);
}

function requireCounts(
  context: RebuildContext,
  value: readonly Inert[],
  what: string,
): asserts value is readonly number[] {
  for (let i = 0; i < value.length; i++) count(context, value[i], what);
}

function count(context: RebuildContext, value: Inert | undefined, what: string): number {
  if (isCount(value)) return value;
  throw malformed(context, `${what} holds ${typeof value === "object" ? "an object" : value}, ${COUNT}`);
}

function dtypeOf(value: Inert | undefined): DType | RareDType | undefined {
  if (value === undefined || !isObject(value) || value.module !== "torch" || value.args !== undefined) return undefined;
  return isDType(value.name) || isRareDType(value.name) ? value.name : undefined;
}

function isStored(value: Inert | undefined): value is StoredTensor {
  return isLazyTensor(value) && value instanceof StoredTensor;
}

function malformed({ format }: RebuildContext, problem: string): CheckpointError {
  return new CheckpointError(`Cannot read a tensor's description: ${problem}`, { format });
}
