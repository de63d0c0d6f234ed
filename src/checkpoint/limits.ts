/**
 * How much a file may ask of its reader. Every limit is far above what real checkpoints need and far below what would
 * hurt; each is an option of `openCheckpoint`.
 *
 * @module
 */

import { SPOOL_BYTES } from "../bytes/source.ts";
import { LimitError } from "../errors.ts";

/**
 * The limits of `openCheckpoint`; raise one where an honest file needs it.
 *
 * @example A program that opens only small files
 * ```ts
 * import { DEFAULT_LIMITS, type Limits } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * const limits: Partial<Limits> = { metadataBytes: 1 << 20, entries: 1000 };
 * assertEquals(DEFAULT_LIMITS.entries > 1000, limits.entries === 1000);
 * ```
 */
export interface Limits {
  /** Bytes of a pickle (`data.pkl`). Those of the largest public models are below 10 MB. Default 256 MiB. */
  readonly metadataBytes: number;
  /** Bytes of a safetensors header. 100 MB is the limit of the format's own library. */
  readonly headerBytes: number;
  /** Entries of a zip, tensors of a safetensors header, keys of one state dict. Default 1,000,000. */
  readonly entries: number;
  /**
   * Steps of a pickle: opcodes, and the items that calls copy. A model of 10,000 tensors takes about 400,000. Default
   * 10,000,000, below the 2^24 entries that a JavaScript `Map` can hold.
   */
  readonly opcodes: number;
  /** Values that a pickle remembers. Default 10,000,000, for the same reason. */
  readonly memo: number;
  /**
   * Containers inside containers. Python's own recursion limit stops `torch.save` below 1,000, the default. Lists of
   * a header in JSON: 127 at most, as the safetensors library has it.
   */
  readonly depth: number;
  /** Dimensions of a tensor. PyTorch's operations stop at 64, the default. */
  readonly rank: number;
  /** Bytes of one integer in a pickle. Python itself refuses to print more than 4300 digits. Default 4096. */
  readonly integerBytes: number;
  /**
   * Bytes of a tensor that repeats its elements (`expand`), and so is larger than what the file holds of it. Default
   * 256 MiB.
   */
  readonly expandedBytes: number;
  /**
   * Files of one checkpoint, all of which are open at the same time. The largest public models have a few hundred.
   * Default 4096, the most that common systems let a program open.
   */
  readonly shards: number;
  /**
   * Bytes that are kept in memory of a source that cannot be read by position: a stream, or a server that knows no
   * ranges. Default 2 GiB: what is longer belongs into a file, as a load has it in memory twice.
   */
  readonly spoolBytes: number;
}

/**
 * The limits that apply where the caller names no other. The reasons are beside the names in {@linkcode Limits}.
 *
 * @example Allowing twice as much
 * ```ts
 * import { DEFAULT_LIMITS, openCheckpoint } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * const limits = { headerBytes: 2 * DEFAULT_LIMITS.headerBytes };
 * const checkpoint = await openCheckpoint(new TextEncoder().encode("\x02\0\0\0\0\0\0\0{}"), { limits });
 * assertEquals(checkpoint.stateDict().size, 0);
 * ```
 */
export const DEFAULT_LIMITS: Limits = {
  metadataBytes: 256 << 20,
  headerBytes: 100_000_000,
  entries: 1_000_000,
  opcodes: 10_000_000,
  memo: 10_000_000,
  depth: 1_000,
  rank: 64,
  integerBytes: 4096,
  expandedBytes: 256 << 20,
  shards: 4096,
  spoolBytes: SPOOL_BYTES,
};

/**
 * Refuses `found` where it is above the limit called `limit`.
 *
 * @throws {LimitError} It is.
 */
export function enforce(limits: Limits, limit: keyof Limits, { found, what }: { found: number; what: string }): void {
  const allowed = limits[limit];
  if (found <= allowed) return;
  throw new LimitError(
    `Cannot read ${what}: it needs ${found}, and the limit "${limit}" allows ${allowed}`,
    { limit, allowed, found },
  );
}

/** What one pickle may still do: the machine and those it asks draw on the same count. */
export class Budget {
  readonly #limits: Limits;
  readonly #what: string;
  readonly #allowed: number;
  #spent = 0;

  /** Nothing is spent yet; `what` is the pickle, for the error. */
  constructor(limits: Limits, what: string) {
    this.#limits = limits;
    this.#allowed = limits.opcodes;
    this.#what = what;
  }

  /**
   * Counts steps.
   *
   * @throws {LimitError} There are more than `limits.opcodes`.
   */
  spend(steps: number): void {
    this.#spent += steps;
    if (this.#spent > this.#allowed) enforce(this.#limits, "opcodes", { found: this.#spent, what: this.#what });
  }
}

/**
 * The caller's limits over the defaults.
 *
 * @throws {TypeError} A limit does not exist.
 * @throws {RangeError} A limit is not a number of things.
 */
export function withDefaults(limits: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new TypeError(`Unknown limit "${name}": expected one of ${Object.keys(DEFAULT_LIMITS).join(", ")}`);
    }
    if (!(value >= 0)) throw new RangeError(`The limit "${name}" must be 0 or more, not ${value}`);
  }
  return { ...DEFAULT_LIMITS, ...limits };
}
