/**
 * Reading checkpoints, without a model and without WebAssembly: what is in a file, and the bytes of its tensors.
 *
 * ```ts
 * import { isLazyTensor, openCheckpoint } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * const file = new TextEncoder().encode(
 *   '\x3b\0\0\0\0\0\0\0{"steps":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}  abc',
 * );
 * const checkpoint = await openCheckpoint(file);
 * for (const [name, value] of checkpoint.stateDict()) {
 *   if (!isLazyTensor(value)) continue;
 *   assertEquals([name, value.dtype, value.shape], ["steps", "uint8", [3]]);
 *   assertEquals(await value.read(), new TextEncoder().encode("abc"));
 * }
 * await checkpoint.close();
 * ```
 *
 * @module
 */

export type { ByteSource } from "../bytes/source.ts";
export type { SourceLike } from "../bytes/open_source.ts";
export type { DType, RareDType } from "../dtype.ts";
export { CheckpointError, LimitError, TruncatedError, UnsupportedError } from "../errors.ts";
export type { Shape } from "../shape.ts";
export { isLazyTensor, StateDict } from "../state_dict.ts";
export type { Inert, InertObject, LazyTensor, StateDictMetadata, StorageInfo } from "../state_dict.ts";
export { Checkpoint } from "./checkpoint.ts";
export type { CheckpointFormat } from "./detect.ts";
export { pythonTypeName } from "../python_type.ts";
export { DEFAULT_LIMITS } from "./limits.ts";
export type { Limits } from "./limits.ts";
export { openCheckpoint } from "./open.ts";
export type { OpenOptions } from "./open.ts";
export type { StateDictPath } from "./state_dicts.ts";
