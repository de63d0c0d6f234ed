/**
 * The outcome of a load as a value: its data, its text, its JSON, and what consoles show of it.
 *
 * @module
 */

import type { Coverage, Mismatch, Outcome, Pattern } from "../outcome.ts";
import { outcomeText, type Tense } from "./outcome_text.ts";
import type { PlanRows } from "./rows.ts";
import type { TextOptions } from "./table.ts";

/**
 * An {@linkcode Outcome} over the planner's answer. `LoadPlan` and `LoadReport` are this and what each adds.
 *
 * @example A report for a narrow terminal
 * ```ts
 * import { Linear, type LoadOutcome } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const outcome: LoadOutcome = new Linear(2, 2).loadStateDict(new Linear(2, 2).stateDict());
 * assertEquals(outcome.text({ width: 40 }).split("\n").every((line) => line.length <= 40), true);
 * ```
 */
export class LoadOutcome implements Outcome {
  readonly #plan: PlanRows;
  readonly #tense: Tense;

  /**
   * Puts words to a plan.
   *
   * @param plan The planner's answer.
   * @param tense Whether the load is still to come.
   */
  constructor(plan: PlanRows, tense: Tense) {
    this.#plan = plan;
    this.#tense = tense;
  }

  /** PyTorch's list, in its order: model keys that the checkpoint does not have. */
  get missingKeys(): readonly string[] {
    return this.#plan.missingKeys;
  }

  /** PyTorch's list, in its order: checkpoint keys that the model does not have. */
  get unexpectedKeys(): readonly string[] {
    return this.#plan.unexpectedKeys;
  }

  /** Which of these `strict` named, and patterns of it that named nothing. */
  get allowed(): {
    readonly missing: readonly string[];
    readonly unexpected: readonly string[];
    readonly unusedPatterns: readonly Pattern[];
  } {
    return this.#plan.allowed;
  }

  /** Keys whose value is taken from the checkpoint, whole or in part. */
  get loaded(): readonly string[] {
    return this.#plan.loaded;
  }

  /** Keys with another shape in the checkpoint. */
  get mismatched(): readonly Mismatch[] {
    return this.#plan.mismatched;
  }

  /** Keys that receive only some of their elements. */
  get partial(): Outcome["partial"] {
    return this.#plan.partial;
  }

  /** Keys of the checkpoint that were looked up under another name. */
  get renamed(): Outcome["renamed"] {
    return this.#plan.renamed;
  }

  /** Keys whose element type changes. */
  get casts(): Outcome["casts"] {
    return this.#plan.casts;
  }

  /** Keys that share their tensor with another name. */
  get tied(): Outcome["tied"] {
    return this.#plan.tied;
  }

  /** Parameters that received nothing from the checkpoint, and what was done to them. */
  get initialised(): Outcome["initialised"] {
    return this.#plan.initialised;
  }

  /** How much of either side takes part. */
  get coverage(): { readonly model: Coverage; readonly checkpoint: Coverage } {
    return this.#plan.coverage;
  }

  /** The text for a person, as wide as `width` (80) and coloured where `color` is set. */
  text(options: TextOptions = {}): string {
    return outcomeText(this.#plan, { ...options, tense: this.#tense });
  }

  /** The text, 80 characters wide, without colour. */
  toString(): string {
    return this.text();
  }

  /** Plain data, patterns as they are written in TypeScript. */
  toJSON(): Record<string, unknown> {
    const { missingKeys, unexpectedKeys, allowed, loaded, mismatched, partial, renamed, casts } = this;
    const { tied, initialised, coverage } = this;
    const unusedPatterns = allowed.unusedPatterns.map(String);
    const outcome = {
      missingKeys,
      unexpectedKeys,
      allowed: { ...allowed, unusedPatterns },
      loaded,
      mismatched,
      partial,
    };
    return { ...outcome, renamed, casts, tied, initialised, coverage };
  }

  /** What `console.log` shows under Deno. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** What `console.log` shows under Node and Bun. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
