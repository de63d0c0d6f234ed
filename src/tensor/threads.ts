/**
 * How many threads compute.
 *
 * @module
 */

import { UnsupportedError } from "../errors.ts";
import { pythonTypeName } from "../python_type.ts";
import { Memory, replaceMemory, startedMemory } from "../core/memory.ts";
import { chosenVariant, instantiateShared } from "../core/wasm.ts";
import { MOST_THREADS, Workers } from "../core/workers.ts";

/**
 * Sets how many threads compute products of matrices, which is what a linear layer, a convolution, attention and their
 * backward passes are made of: `torch.set_num_threads`. It is 1 unless this was called; no worker is started unasked.
 *
 * Needs no permission in Deno. A page in a browser has to be cross-origin isolated. Values stay as they are, and so do
 * results, to the bit. Products too small to gain are computed by one thread; so are those for which no other came in
 * time, as right after this call.
 *
 * @param count From 1 to 64. With more than the machine's free cores, all is slower than on one: they wait for each
 *   other.
 * @throws {TypeError} It is no integer; PyTorch's text.
 * @throws {RangeError} It is out of range.
 * @throws {UnsupportedError} The host has no threads, or may not share memory with them.
 * @example Two threads
 * ```ts
 * import { getNumThreads, Linear, randn, setNumThreads } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const layer = new Linear(768, 768);
 * const x = randn([60, 768]);
 * const alone = layer.forward(x).data();
 *
 * setNumThreads(2);
 * assertEquals(layer.forward(x).data(), alone);
 * setNumThreads(1);
 * assertEquals(getNumThreads(), 1);
 * ```
 */
export function setNumThreads(count: number): void {
  if (!Number.isInteger(count)) throw new TypeError(`set_num_threads expects an int, but got ${pythonTypeName(count)}`);
  if (count < 1) throw new RangeError("set_num_threads expects a positive integer");
  if (count > MOST_THREADS) throw new RangeError(`Cannot compute on ${count} threads: at most ${MOST_THREADS}`);
  if (count === getNumThreads()) return;
  const started = startedMemory();
  if (count > 1) requireSharing(count);
  started?.workers?.stop();
  if (started !== null) started.workers = null;
  if (count === 1) return;
  const variant = chosenVariant();
  const shared = started?.isShared === true ? started : new Memory(instantiateShared(variant));
  if (shared !== started) replaceMemory(shared);
  shared.workers = new Workers(count, shared.exports, variant);
}

/**
 * How many threads compute products of matrices: `torch.get_num_threads`.
 *
 * @example One, unless more were asked for
 * ```ts
 * import { getNumThreads } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(getNumThreads(), 1);
 * ```
 */
export function getNumThreads(): number {
  return startedMemory()?.workers?.count ?? 1;
}

function requireSharing(count: number): void {
  if (typeof SharedArrayBuffer !== "undefined") return;
  throw new UnsupportedError(
    `Cannot compute on ${count} threads: this page may not share memory with workers. Serve it with the headers ` +
      "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
    "shared memory",
  );
}
