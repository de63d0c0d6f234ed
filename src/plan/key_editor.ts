/**
 * What a module may do to a checkpoint's keys before they are matched with its own.
 *
 * @module
 */

/**
 * What an `upgradeStateDict` override edits: the keys of its module and of the modules below it, in order, each with
 * the full prefix. Edits reach the module itself and its children, never its parent or siblings, as PyTorch's load
 * hooks do. Nothing here touches the caller's state dict, or any value.
 *
 * @example A module that reads its old names
 * ```ts
 * import { type KeyEditor, Linear, Module, type Tensor, tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * class Scale extends Module {
 *   linear = new Linear(1, 1, { bias: false });
 *   override forward(x: Tensor): Tensor {
 *     return this.linear.forward(x);
 *   }
 *   override upgradeStateDict(keys: KeyEditor, prefix: string): void {
 *     if (keys.has(prefix + "gain")) keys.rename(prefix + "gain", prefix + "linear.weight");
 *   }
 * }
 *
 * const scale = new Scale();
 * scale.loadStateDict({ gain: tensor([[2]]) });
 * assertEquals(scale.linear.weight.tolist(), [[2]]);
 * ```
 */
export interface KeyEditor extends Iterable<string> {
  /** How many keys there are. */
  readonly size: number;
  /** Whether `key` is there. */
  has(key: string): boolean;
  /**
   * Calls `from` `to`. The key moves to the end, as in Python's `d[to] = d.pop(from)`. Where `to` is already there the
   * load is refused as a collision.
   *
   * @throws {TypeError} `from` is not there, or `to` is outside this module.
   */
  rename(from: string, to: string): void;
  /**
   * Takes `key` out: it is neither loaded nor unexpected.
   *
   * @throws {TypeError} `key` is not there.
   */
  drop(key: string): void;
  /**
   * Declares `key` present with the value that the model has: it is not missing, and nothing is copied.
   *
   * @throws {TypeError} `key` is already there, or is outside this module.
   */
  keep(key: string): void;
  /** The keys as they are now; editing while iterating is allowed. */
  [Symbol.iterator](): Iterator<string>;
}
