/**
 * An open checkpoint: everything in the file, its tensors as descriptions that can be read.
 *
 * @module
 */

import type { OpenSource } from "../bytes/source.ts";
import type { Inert, StateDict } from "../state_dict.ts";
import type { CheckpointFormat } from "./detect.ts";
import type { Limits } from "./limits.ts";
import { findStateDicts, readStateDict, type Searched, type StateDictPath, undecided } from "./state_dicts.ts";

/** What a reader finds in a file. */
export interface FoundContent {
  /** Everything in it. */
  readonly root: Inert;
  /** The texts beside the tensors. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** What a checkpoint is made of. */
export interface CheckpointContent extends FoundContent {
  /** Where its bytes come from; closed with the checkpoint. */
  readonly source: OpenSource;
  /** The format it has. */
  readonly format: CheckpointFormat;
  /** What it may ask for. */
  readonly limits: Limits;
}

/**
 * An open checkpoint.
 *
 * @example Asking for a state dict by its path
 * ```ts
 * import { Checkpoint, openCheckpoint } from "@graft/graft/checkpoint";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const empty = new TextEncoder().encode("\x02\0\0\0\0\0\0\0{}");
 * const checkpoint = await openCheckpoint(empty);
 * assertInstanceOf(checkpoint, Checkpoint);
 * assertEquals(checkpoint.stateDictPaths, [[]]);
 * assertEquals(checkpoint.stateDict(checkpoint.stateDictPaths[0]).size, 0);
 * await checkpoint.close();
 * ```
 */
export class Checkpoint {
  /** Which format the file has. */
  readonly format: CheckpointFormat;
  /**
   * Everything in the file, as values without behaviour: a dict is a `Map`, a list an array and a tuple a frozen one,
   * `bytes` a `Uint8Array`, a number of NumPy a number, an object of any other class an `InertObject`, a tensor a
   * `LazyTensor`. A state dict in it keeps its `_metadata`, which `save` writes along.
   */
  readonly root: Inert;
  /**
   * The texts beside the tensors: `__metadata__` of safetensors; `version` and `byteorder` of a zip by PyTorch;
   * `metadata` of an index, such as `total_size`.
   */
  readonly metadata: ReadonlyMap<string, string>;
  /** Where in `root` the state dicts are. */
  readonly stateDictPaths: readonly StateDictPath[];
  /** Closes the checkpoint at the end of an `await using` declaration. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  readonly #source: OpenSource;
  readonly #searched: Searched;

  /** For the readers of formats; use `openCheckpoint`. */
  constructor({ source, format, root, metadata, limits }: CheckpointContent) {
    this.format = format;
    this.root = root;
    this.metadata = metadata;
    this.#source = source;
    this.#searched = { root, format, limits };
    this.stateDictPaths = findStateDicts(this.#searched);
  }

  /**
   * A state dict of the file. Its values are tensors, and whatever else the dict holds. Every call makes a new one,
   * so entries may be deleted or added.
   *
   * @param path Where it is; may be left out if there is only one. Any dict with string keys and any module can be
   * named.
   * @throws {CheckpointError} There is none at `path`, or none was named and there is not exactly one; the message
   * lists the paths, with how many tensors and bytes there are at each.
   */
  stateDict(path?: StateDictPath): StateDict<Inert> {
    const known = this.stateDictPaths;
    if (path !== undefined) return readStateDict(this.#searched, path, known);
    if (known.length !== 1) throw undecided(this.#searched, known);
    return readStateDict(this.#searched, known[0], known);
  }

  /** Closes what files `openCheckpoint` opened. Tensors cannot be read from it afterwards. */
  close(): Promise<void> {
    return this.#source.close();
  }
}

// Not every engine has the symbol; a computed method would be called "undefined" there.
if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(Checkpoint.prototype, Symbol.asyncDispose, {
    value(this: Checkpoint): Promise<void> {
      return this.close();
    },
    configurable: true,
    writable: true,
  });
}
