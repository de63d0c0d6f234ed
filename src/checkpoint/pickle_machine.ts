/**
 * The machine that a pickle is a program for: a stack with marks on it, a memo, and the values that Python's built-in
 * types become. What names, calls and persistent ids stand for, it asks its {@linkcode PickleHost}.
 *
 * @module
 */

import { Cursor } from "../bytes/cursor.ts";
import { CheckpointError, UnsupportedError } from "../errors.ts";
import type { Inert } from "../state_dict.ts";
import { isDict, isList, isSequence, isSet } from "./inert.ts";
import { type Budget, enforce, type Limits } from "./limits.ts";
import { recalledSlots } from "./pickle_recalls.ts";
import { decodeLatin1, decodeLong, decodeUtf8 } from "./pickle_text.ts";

/** Steps that an empty `Map` or `Set` counts for: it takes about as much memory as this many other values. */
const HASHED_CONTAINER_STEPS = 8;

/** The last index of a JavaScript array, one before the last 32-bit number. */
const LAST_SLOT = 2 ** 32 - 2;

/** What gives the names in a pickle their meaning. */
export interface PickleHost {
  /** What a module's attribute stands for. */
  global(module: string, name: string): Inert;
  /** The result of calling `callable`, which came from this host. */
  call(callable: Inert, args: readonly Inert[], keywords?: ReadonlyMap<Inert, Inert>): Inert;
  /** Hands `state` to an object; Python calls `__setstate__` or fills the attributes. */
  build(target: Inert, state: Inert): void;
  /** The object outside of the pickle that `id` stands for. */
  persistent(id: Inert): Inert;
  /** Appends to an object that is not a list; Python calls its `extend`. */
  extend(target: Inert, items: readonly Inert[]): void;
  /** Sets items of an object that is not a dict: keys and values in turn. */
  assign(target: Inert, pairs: readonly Inert[]): void;
}

/** What to call the pickle in errors, and how much it may ask for. */
export interface UnpickleOptions {
  /** The file or record: `"data.pkl"`. */
  readonly what: string;
  /** The format it belongs to. */
  readonly format: string;
  /** What it may ask for. */
  readonly limits: Limits;
  /** The count of steps, shared with the host. */
  readonly budget: Budget;
}

/** The state of one run. The opcodes are in `pickle.ts`; each does one or two of these things. */
export class Machine {
  /** The program. */
  readonly input: Cursor;
  /** Whom it asks. */
  readonly host: PickleHost;
  /** What it may ask for. */
  readonly limits: Limits;
  readonly #options: UnpickleOptions;
  /** The stack, of which only the part below `#height` counts: an array is slow to shorten. */
  readonly #stack: Inert[] = [];
  #height = 0;
  /** The heights of the stack at which `MARK` was met, innermost last. */
  readonly #marks: number[] = [];
  /** The height at the innermost mark: what lies below it cannot be taken. */
  #floor = 0;
  /** What is recalled. An engine keeps an array with holes as it is, dense or as a table. */
  readonly #memo: Inert[] = [];
  /** The slots that were used: all below this one, and some above. */
  #used = 0;
  readonly #usedAbove = new Set<number>();
  /** The slots that are recalled; `null` where that may be any. */
  readonly #recalled: ReadonlySet<number> | null;
  /** The name of the opcode that runs, for errors. */
  operation = "";
  /** Whether `STOP` was met. */
  stopped = false;

  /** Stands before the first opcode of `bytes`. */
  constructor(bytes: Uint8Array, host: PickleHost, options: UnpickleOptions) {
    this.input = new Cursor(bytes, options);
    this.host = host;
    this.limits = options.limits;
    this.#options = options;
    this.#recalled = recalledSlots(bytes);
  }

  /** The next opcode's byte; every one counts as a step. */
  opcode(): number {
    this.#options.budget.spend(1);
    return this.input.u8();
  }

  /** Leaves a value on the stack. */
  push(value: Inert): void {
    this.#stack[this.#height++] = value;
  }

  /** Takes the top of the stack; what lies below a mark cannot be taken. */
  pop(): Inert {
    const value = this.top();
    this.#height--;
    return value;
  }

  /** The top of the stack, left there. */
  top(): Inert {
    if (this.#height <= this.#floor) throw this.error("finds the stack empty");
    return this.#stack[this.#height - 1];
  }

  /** Takes `count` values, in the order in which they were pushed. */
  popMany(count: number): Inert[] {
    const height = this.#height - count;
    if (height < this.#floor) throw this.error("finds the stack empty");
    return this.#popFrom(height);
  }

  /** Puts a mark on the stack. */
  mark(): void {
    this.#floor = this.#height;
    this.#marks.push(this.#floor);
    if (this.#marks.length > this.limits.depth) {
      enforce(this.limits, "depth", { found: this.#marks.length, what: this.#options.what });
    }
  }

  /** Takes everything above the last mark, and the mark. */
  popMark(): Inert[] {
    const height = this.#popFloor();
    if (height === undefined) throw this.error("finds no mark");
    return this.#popFrom(height);
  }

  /** `POP` also takes a mark where that is on top. */
  discard(): void {
    if (this.#marks.at(-1) === this.#height) this.#popFloor();
    else this.pop();
  }

  /** Takes the innermost mark. */
  #popFloor(): number | undefined {
    const height = this.#marks.pop();
    this.#floor = this.#marks.length === 0 ? 0 : this.#marks[this.#marks.length - 1];
    return height;
  }

  /** Takes everything from a height of the stack on. */
  #popFrom(height: number): Inert[] {
    const values = this.#stack.slice(height, this.#height);
    this.#height = height;
    return values;
  }

  /** Keeps the top of the stack under a number. */
  remember(slot: number | bigint): void {
    if (typeof slot !== "number" || !(slot >= 0 && slot <= LAST_SLOT)) throw this.error(`cannot use memo slot ${slot}`);
    const value = this.top();
    if (this.#recalled === null || this.#recalled.has(slot)) this.#memo[slot] = value;
    if (slot === this.#used && this.#usedAbove.size === 0) this.#used++;
    else this.#use(slot);
    if (this.#used + this.#usedAbove.size > this.limits.memo) {
      enforce(this.limits, "memo", { found: this.#used + this.#usedAbove.size, what: this.#options.what });
    }
  }

  /** Counts a slot that may not be the next one. */
  #use(slot: number): void {
    if (slot >= this.#used) this.#usedAbove.add(slot);
    while (this.#usedAbove.delete(this.#used)) this.#used++;
  }

  /** `MEMOIZE` numbers the slots by itself. */
  memoize(): void {
    this.remember(this.#used + this.#usedAbove.size);
  }

  /** Leaves what was kept under a number. */
  recall(slot: number | bigint): void {
    const value = typeof slot === "number" ? this.#memo[slot] : undefined;
    if (value === undefined) throw this.error(`finds memo slot ${slot} empty`);
    this.push(value);
  }

  /** Leaves a tuple: an array that is frozen. */
  tuple(items: Inert[]): void {
    this.push(Object.freeze(items));
  }

  /** Leaves a dict of keys and values in turn. */
  dict(pairs: readonly Inert[]): void {
    this.#options.budget.spend(HASHED_CONTAINER_STEPS);
    this.push(new Map<Inert, Inert>());
    this.setItems(pairs);
  }

  /** Leaves a set. */
  set(items: readonly Inert[]): void {
    this.#options.budget.spend(HASHED_CONTAINER_STEPS);
    this.push(new Set(items));
  }

  /** Appends to the list on top. */
  append(items: readonly Inert[]): void {
    const target = this.top();
    if (isList(target)) { for (const item of items) target.push(item); }
    else this.host.extend(target, items);
  }

  /** Adds to the set on top. */
  add(items: readonly Inert[]): void {
    const target = this.top();
    if (!isSet(target)) throw this.error("finds no set");
    for (const item of items) target.add(item);
  }

  /** Sets keys and values, in turn, in the dict on top. */
  setItems(pairs: readonly Inert[]): void {
    if (pairs.length % 2 !== 0) throw this.error("gets a key without a value");
    const target = this.top();
    if (!isDict(target)) return this.host.assign(target, pairs);
    for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1]);
  }

  /** Leaves what the host makes of a call. */
  call(callable: Inert, args: Inert, keywords?: Inert): void {
    if (!isSequence(args)) throw this.error("gets arguments that are not a tuple");
    if (keywords === undefined) this.push(this.host.call(callable, args));
    else if (isDict(keywords)) this.push(this.host.call(callable, args, keywords));
    else throw this.error("gets keywords that are not a dict");
  }

  /** What the host makes of a name. */
  global(module: Inert, name: Inert): Inert {
    if (typeof module === "string" && typeof name === "string") return this.host.global(module, name);
    throw this.error("finds no two names");
  }

  /** Text; lone surrogates are allowed in it. */
  utf8(bytes: Uint8Array): string {
    const text = decodeUtf8(bytes);
    if (text === null) throw this.error("holds text that is not UTF-8");
    return text;
  }

  /** A line that holds a number; longer ones than any number are refused before they are parsed. */
  numberLine(): string {
    const line = this.input.line();
    enforce(this.limits, "integerBytes", { found: line.length, what: `a number in ${this.#options.what}` });
    return decodeLatin1(line);
  }

  /** Leaves an integer of `length` bytes. */
  long(length: number): void {
    if (length < 0) throw this.error(`has a length of ${length}`);
    enforce(this.limits, "integerBytes", { found: length, what: `an integer in ${this.#options.what}` });
    this.push(decodeLong(this.input.bytes(length)));
  }

  /** What an opcode's text must have parsed to. */
  parsed<T>(value: T | null, what: string): T {
    if (value === null) throw this.error(`holds what is not ${what}`);
    return value;
  }

  /** The error that the running opcode ends with; `message` is what it does wrong. */
  error(message: string): CheckpointError {
    const { what, format } = this.#options;
    const offset = this.input.position;
    return new CheckpointError(`Cannot read ${what}: ${this.operation} ${message}, before byte ${offset}`, {
      format,
      offset,
      entry: what,
    });
  }

  /** The error for a pickle that is newer than what is known. */
  newer(feature: string, newest: number): UnsupportedError {
    const { what } = this.#options;
    return new UnsupportedError(`Cannot read ${what}: it has ${feature}, the newest known is ${newest}`, feature);
  }

  /** The error for what a pickle needs and does not hold. */
  unsupported(feature: string): UnsupportedError {
    return new UnsupportedError(
      `Cannot read ${this.#options.what}: it uses ${feature}, which is not in the file`,
      feature,
    );
  }
}
