/**
 * What a command is: its name, its files, its options, and what it does.
 *
 * @module
 */

import type { Needed } from "./permission.ts";
import type { Terminal } from "./terminal.ts";

/** One option of a command. */
export interface Option {
  /** Its name, without the dashes. */
  readonly name: string;
  /** What its value is called in the help; absent where it is a switch. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly many?: boolean;
  /** Whether `--no-NAME` switches it off, and it is on by default. */
  readonly negatable?: boolean;
  /** Whether nothing works without it. */
  readonly required?: boolean;
  /** What it does, for the help. */
  readonly help: string;
}

/** One command. */
export interface Command {
  /** Its name. */
  readonly name: string;
  /** What it is for, in one line. */
  readonly summary: string;
  /** Its files, as the help calls them. All of them are needed. */
  readonly files: readonly string[];
  /** Its options, beside `--json` and `--help`. */
  readonly options: readonly Option[];
  /** A line that works. */
  readonly example: string;
  /** The files it reads and writes, for the one flag to add where a permission is missing. */
  needs(call: Call): Needed;
  /** Does it, and answers the exit code. */
  run(call: Call, terminal: Terminal): Promise<number>;
}

/** What was asked for. */
export interface Call {
  /** The files, as many as the command needs. */
  readonly files: readonly string[];
  /** Whether data is wanted rather than text. */
  readonly json: boolean;
  /** Whether a switch is on. */
  has(name: string): boolean;
  /** The value of an option, or `undefined`. */
  text(name: string): string | undefined;
  /** The values of an option, in order. */
  texts(name: string): readonly string[];
  /** The values of several options, in the order in which they were given. */
  ordered(names: readonly string[]): readonly (readonly [string, string])[];
}

/** Done, and nothing in the way. */
export const DONE = 0;
/** It was refused, or there is a difference. */
export const REFUSED = 1;
/** The arguments are wrong. */
export const WRONG_USAGE = 2;
/** Stopped with Ctrl-C: 128 and the number of the signal, as shells count. */
export const INTERRUPTED = 130;

/** The arguments are wrong; the message says which and what to write instead. */
export class UsageError extends Error {
  /** The name of the class. */
  override readonly name: string = "UsageError";
}

/** The option that names a state dict, the same in every command. */
export const STATE_DICT: Option = {
  name: "state-dict",
  value: "PATH",
  help: "which state dict inside the file, its keys joined by dots: ema.model",
};

/** The option that chooses keys, the same in every command. */
export const FILTER: Option = {
  name: "filter",
  value: "GLOB",
  help: "only keys that match: * any run, ? one character, {a,b} either",
};
