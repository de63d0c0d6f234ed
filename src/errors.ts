/**
 * Every error class of the library. The message names the thing, what was expected and what was found; what a program
 * may want to branch on is a field.
 *
 * @module
 */

import type { LoadRefusal, Outcome } from "./outcome.ts";

/** Where in a file something is wrong. */
export interface CheckpointErrorOptions extends ErrorOptions {
  /** The format the bytes were read as. */
  readonly format: string;
  /** The byte at which it is wrong. */
  readonly offset?: number;
  /** The record, tensor or file inside the checkpoint. */
  readonly entry?: string;
}

/**
 * The bytes are not what the format says they are.
 *
 * @example
 * ```ts
 * import { CheckpointError, openCheckpoint } from "@graft/graft";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => openCheckpoint(new TextEncoder().encode("<!DOCTYPE html><html>")), CheckpointError);
 * ```
 */
export class CheckpointError extends Error {
  /** The name of the class. */
  override readonly name: string = "CheckpointError";
  /** The format the bytes were read as. */
  readonly format: string;
  /** The byte at which it is wrong, where one can be named. */
  readonly offset?: number;
  /** The record, tensor or file inside the checkpoint, where one can be named. */
  readonly entry?: string;

  /** Names what is wrong in `message`, and where in `options`. */
  constructor(message: string, options: CheckpointErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.format = options.format;
    if (options.offset !== undefined) this.offset = options.offset;
    if (options.entry !== undefined) this.entry = options.entry;
  }
}

/** A read came back short: the source ended before the bytes that were asked for. */
export class TruncatedError extends Error {
  /** The name of the class. */
  override readonly name: string = "TruncatedError";
  /** Where the read began, in bytes. */
  readonly offset: number;
  /** Bytes asked for. */
  readonly wanted: number;
  /** Bytes there were. */
  readonly got: number;

  /** Names the source in `message`. */
  constructor(message: string, read: { readonly offset: number; readonly wanted: number; readonly got: number }) {
    super(message);
    this.offset = read.offset;
    this.wanted = read.wanted;
    this.got = read.got;
  }
}

/** Well-formed, and not something that Graft reads or computes. */
export class UnsupportedError extends Error {
  /** The name of the class. */
  override readonly name: string = "UnsupportedError";
  /** A short, stable name of what is missing, such as `"sparse tensor"`. */
  readonly feature: string;

  /** Names the thing in `message`, and what Graft lacks in `feature`. */
  constructor(message: string, feature: string, options?: ErrorOptions) {
    super(message, options);
    this.feature = feature;
  }
}

/** A file asks for more than a safety limit allows. Each limit is an option of `openCheckpoint`. */
export class LimitError extends Error {
  /** The name of the class. */
  override readonly name: string = "LimitError";
  /** The option that raises the limit. */
  readonly limit: string;
  /** What the limit is. */
  readonly allowed: number;
  /** What the file asks for. */
  readonly found: number;

  /** Names the thing in `message`, and the limit in `about`. */
  constructor(message: string, about: { readonly limit: string; readonly allowed: number; readonly found: number }) {
    super(message);
    this.limit = about.limit;
    this.allowed = about.allowed;
    this.found = about.found;
  }
}

/** PyTorch would raise here: the message is its own text, byte for byte. Nothing was changed. */
export class LoadStateDictError extends Error {
  /** The name of the class. */
  override readonly name: string = "LoadStateDictError";
  /** What would have been loaded, and what is in the way. */
  readonly plan: Outcome;

  /** Carries PyTorch's text and the plan it comes from. */
  constructor(message: string, plan: Outcome) {
    super(message);
    this.plan = plan;
  }
}

/** Graft refuses what PyTorch would let pass. Nothing was changed. */
export class LoadRefusedError extends Error {
  /** The name of the class. */
  override readonly name: string = "LoadRefusedError";
  /** Which rule refused it. */
  readonly reason: LoadRefusal;
  /** What would have been loaded, and what is in the way. */
  readonly plan: Outcome;

  /** Says in `message` what is refused and which option would permit it. */
  constructor(message: string, reason: LoadRefusal, plan: Outcome) {
    super(message);
    this.reason = reason;
    this.plan = plan;
  }
}

/** The medium failed after the first tensor was written; `cause` is its error. */
export class PartialLoadError extends Error {
  /** The name of the class. */
  override readonly name: string = "PartialLoadError";
  /** The keys whose values the model already has. */
  readonly written: readonly string[];

  /** Names how far the load came; `options.cause` is what went wrong. */
  constructor(message: string, written: readonly string[], options: ErrorOptions) {
    super(message, options);
    this.written = written;
  }
}
