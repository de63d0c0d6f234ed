/**
 * Python's pickle as what it is: a program for a stack machine. The machine knows every opcode of protocols 0 to 5 and
 * nothing else. What a name, a call or a persistent id stands for, it asks its {@linkcode PickleHost}; it never
 * imports or runs anything itself.
 *
 * Source: CPython's `Lib/pickletools.py`, which describes each opcode.
 *
 * @module
 */

import { CheckpointError, UnsupportedError } from "../errors.ts";
import type { Inert } from "../state_dict.ts";
import { Cursor } from "../bytes/cursor.ts";
import { isDict, isList, isSequence, isSet } from "./inert.ts";
import { type Budget, enforce, type Limits } from "./limits.ts";
import { decodeLatin1, decodeLong, decodePython2, decodeUtf8 } from "./pickle_text.ts";
import { parseFloatLiteral, parseInteger, parseQuoted, parseRawUnicode } from "./pickle_text.ts";

/** The newest protocol there is. */
const NEWEST_PROTOCOL = 5;

/** Steps that an empty `Map` or `Set` counts for: it takes about as much memory as this many other values. */
const HASHED_CONTAINER_STEPS = 8;

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

/** What was unpickled, and how long it was. */
export interface Unpickled {
  /** The value on top of the stack at `STOP`. */
  readonly value: Inert;
  /** Bytes up to and including `STOP`; a stream may go on behind it. */
  readonly byteLength: number;
}

/**
 * Runs the pickle at the start of `bytes`. A tuple comes back as a frozen array and a list as one that is not, a
 * `dict` as a `Map`, `bytes` as a `Uint8Array`; what contains itself still does.
 *
 * @throws {CheckpointError} It is not a pickle.
 * @throws {TruncatedError} It ends before `STOP`.
 * @throws {LimitError} It asks for too much.
 * @throws {UnsupportedError} It needs what is outside of the file.
 */
export function unpickle(bytes: Uint8Array, host: PickleHost, options: UnpickleOptions): Unpickled {
  const machine = new Machine(bytes, host, options);
  while (!machine.stopped) machine.step();
  return { value: machine.pop(), byteLength: machine.input.position };
}

class Machine {
  readonly input: Cursor;
  readonly host: PickleHost;
  readonly limits: Limits;
  readonly #options: UnpickleOptions;
  readonly #stack: Inert[] = [];
  /** The heights of the stack at which `MARK` was met, innermost last. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Inert>();
  stopped = false;

  constructor(bytes: Uint8Array, host: PickleHost, options: UnpickleOptions) {
    this.input = new Cursor(bytes, options);
    this.host = host;
    this.limits = options.limits;
    this.#options = options;
  }

  step(): void {
    this.#options.budget.spend(1);
    const code = this.input.u8();
    const operation = OPERATIONS[code];
    if (operation === undefined) throw this.error(`opcode 0x${code.toString(16).padStart(2, "0")} is unknown`);
    operation(this);
  }

  push(value: Inert): void {
    this.#stack.push(value);
  }

  /** Takes the top of the stack; what lies below a mark cannot be taken. */
  pop(): Inert {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.error("an opcode finds the stack empty");
    return value;
  }

  /** The top of the stack, left there. */
  top(): Inert {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  /** Takes `count` values, in the order in which they were pushed. */
  popMany(count: number): Inert[] {
    const values: Inert[] = [];
    for (let i = 0; i < count; i++) values.push(this.pop());
    return values.reverse();
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
    enforce(this.limits, "depth", { found: this.#marks.length, what: this.#options.what });
  }

  /** Takes everything above the last mark, and the mark. */
  popMark(): Inert[] {
    const height = this.#marks.pop();
    if (height === undefined) throw this.error("an opcode looks for a mark, and there is none");
    return this.#stack.splice(height);
  }

  /** `POP` also takes a mark where that is on top. */
  discard(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  remember(slot: number | bigint | null): void {
    if (typeof slot !== "number" || slot < 0) throw this.error(`memo slot ${slot} is not a slot`);
    this.#memo.set(slot, this.top());
    enforce(this.limits, "memo", { found: this.#memo.size, what: this.#options.what });
  }

  /** `MEMOIZE` numbers the slots by itself. */
  memoize(): void {
    this.remember(this.#memo.size);
  }

  recall(slot: number | bigint | null): void {
    const value = typeof slot === "number" ? this.#memo.get(slot) : undefined;
    if (value === undefined) throw this.error(`memo slot ${slot} is empty`);
    this.push(value);
  }

  tuple(items: Inert[]): void {
    this.push(Object.freeze(items));
  }

  dict(pairs: readonly Inert[]): void {
    this.#options.budget.spend(HASHED_CONTAINER_STEPS);
    this.push(new Map<Inert, Inert>());
    this.setItems(pairs);
  }

  set(items: readonly Inert[]): void {
    this.#options.budget.spend(HASHED_CONTAINER_STEPS);
    this.push(new Set(items));
  }

  append(items: readonly Inert[]): void {
    const target = this.top();
    if (isList(target)) { for (const item of items) target.push(item); }
    else this.host.extend(target, items);
  }

  add(items: readonly Inert[]): void {
    const target = this.top();
    if (!isSet(target)) throw this.error("ADDITEMS finds no set");
    for (const item of items) target.add(item);
  }

  setItems(pairs: readonly Inert[]): void {
    if (pairs.length % 2 !== 0) throw this.error("a dict gets a key without a value");
    const target = this.top();
    if (!isDict(target)) return this.host.assign(target, pairs);
    for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1]);
  }

  call(callable: Inert, args: Inert, keywords?: Inert): void {
    if (!isSequence(args)) throw this.error("a call gets arguments that are not a tuple");
    if (keywords === undefined) this.push(this.host.call(callable, args));
    else if (isDict(keywords)) this.push(this.host.call(callable, args, keywords));
    else throw this.error("a call gets keywords that are not a dict");
  }

  global(module: Inert, name: Inert): Inert {
    if (typeof module === "string" && typeof name === "string") return this.host.global(module, name);
    throw this.error("STACK_GLOBAL finds no two names");
  }

  /** Bytes after a length of 1, 4 or 8 bytes. */
  counted(length: number): Uint8Array {
    return this.input.bytes(length);
  }

  utf8(bytes: Uint8Array): string {
    const text = decodeUtf8(bytes);
    if (text === null) throw this.error("a string is not UTF-8");
    return text;
  }

  /** A line that holds a number; longer ones than any number are refused before they are parsed. */
  numberLine(): string {
    const line = this.input.line();
    enforce(this.limits, "integerBytes", { found: line.length, what: `a number in ${this.#options.what}` });
    return decodeLatin1(line);
  }

  long(length: number): void {
    if (length < 0) throw this.error(`an integer has ${length} bytes`);
    enforce(this.limits, "integerBytes", { found: length, what: `an integer in ${this.#options.what}` });
    this.push(decodeLong(this.input.bytes(length)));
  }

  /** What an opcode's text must have parsed to. */
  parsed<T>(value: T | null, what: string): T {
    if (value === null) throw this.error(`${what} is not one`);
    return value;
  }

  error(message: string): CheckpointError {
    const { what, format } = this.#options;
    const offset = this.input.position;
    return new CheckpointError(`Cannot read ${what}: ${message}, before byte ${offset}`, {
      format,
      offset,
      entry: what,
    });
  }

  unsupported(feature: string): UnsupportedError {
    return new UnsupportedError(
      `Cannot read ${this.#options.what}: it uses ${feature}, which is not in the file`,
      feature,
    );
  }
}

type Operation = (machine: Machine) => void;

/** The opcodes by their byte, each under the name it has in `pickletools`. */
const OPERATIONS: readonly (Operation | undefined)[] = opcodeTable([
  // The machine
  ["PROTO", 0x80, (m) => {
    const protocol = m.input.u8();
    if (protocol > NEWEST_PROTOCOL) throw m.unsupported(`pickle protocol ${protocol}`);
  }],
  ["FRAME", 0x95, (m) => {
    const length = m.input.u64();
    if (length > m.input.remaining) throw m.error(`a frame of ${length} bytes goes past the end`);
  }],
  ["STOP", ".", (m) => m.stopped = true],
  ["MARK", "(", (m) => m.mark()],
  ["POP", "0", (m) => m.discard()],
  ["POP_MARK", "1", (m) => m.popMark()],
  ["DUP", "2", (m) => m.push(m.top())],

  // The memo
  ["PUT", "p", (m) => m.remember(parseInteger(m.numberLine()))],
  ["BINPUT", "q", (m) => m.remember(m.input.u8())],
  ["LONG_BINPUT", "r", (m) => m.remember(m.input.u32())],
  ["MEMOIZE", 0x94, (m) => m.memoize()],
  ["GET", "g", (m) => m.recall(parseInteger(m.numberLine()))],
  ["BINGET", "h", (m) => m.recall(m.input.u8())],
  ["LONG_BINGET", "j", (m) => m.recall(m.input.u32())],

  // None, bool, int, float
  ["NONE", "N", (m) => m.push(null)],
  ["NEWTRUE", 0x88, (m) => m.push(true)],
  ["NEWFALSE", 0x89, (m) => m.push(false)],
  ["INT", "I", (m) => {
    // Protocols 0 and 1 write True and False as these two integers.
    const line = m.numberLine();
    m.push(line === "01" ? true : line === "00" ? false : m.parsed(parseInteger(line), "an integer"));
  }],
  ["BININT", "J", (m) => m.push(m.input.i32())],
  ["BININT1", "K", (m) => m.push(m.input.u8())],
  ["BININT2", "M", (m) => m.push(m.input.u16())],
  ["LONG", "L", (m) => m.push(m.parsed(parseInteger(m.numberLine()), "an integer"))],
  ["LONG1", 0x8a, (m) => m.long(m.input.u8())],
  ["LONG4", 0x8b, (m) => m.long(m.input.i32())],
  ["FLOAT", "F", (m) => m.push(m.parsed(parseFloatLiteral(m.numberLine()), "a float"))],
  ["BINFLOAT", "G", (m) => m.push(m.input.f64BigEndian())],

  // str and bytes
  ["UNICODE", "V", (m) => m.push(m.parsed(parseRawUnicode(m.input.line()), "a string"))],
  ["SHORT_BINUNICODE", 0x8c, (m) => m.push(m.utf8(m.counted(m.input.u8())))],
  ["BINUNICODE", "X", (m) => m.push(m.utf8(m.counted(m.input.u32())))],
  ["BINUNICODE8", 0x8d, (m) => m.push(m.utf8(m.counted(m.input.u64())))],
  ["STRING", "S", (m) => {
    const literal = parseQuoted(decodeLatin1(m.input.line()));
    m.push(decodePython2(m.parsed(literal, "a quoted string")));
  }],
  ["SHORT_BINSTRING", "U", (m) => m.push(decodePython2(m.counted(m.input.u8())))],
  ["BINSTRING", "T", (m) => m.push(decodePython2(m.counted(m.input.u32())))],
  ["SHORT_BINBYTES", "C", (m) => m.push(m.counted(m.input.u8()).slice())],
  ["BINBYTES", "B", (m) => m.push(m.counted(m.input.u32()).slice())],
  ["BINBYTES8", 0x8e, (m) => m.push(m.counted(m.input.u64()).slice())],
  ["BYTEARRAY8", 0x96, (m) => m.push(m.counted(m.input.u64()).slice())],

  // Containers
  ["EMPTY_TUPLE", ")", (m) => m.tuple([])],
  ["TUPLE1", 0x85, (m) => m.tuple(m.popMany(1))],
  ["TUPLE2", 0x86, (m) => m.tuple(m.popMany(2))],
  ["TUPLE3", 0x87, (m) => m.tuple(m.popMany(3))],
  ["TUPLE", "t", (m) => m.tuple(m.popMark())],
  ["EMPTY_LIST", "]", (m) => m.push([])],
  ["LIST", "l", (m) => m.push(m.popMark())],
  ["APPEND", "a", (m) => m.append(m.popMany(1))],
  ["APPENDS", "e", (m) => m.append(m.popMark())],
  ["EMPTY_DICT", "}", (m) => m.dict([])],
  ["DICT", "d", (m) => m.dict(m.popMark())],
  ["SETITEM", "s", (m) => m.setItems(m.popMany(2))],
  ["SETITEMS", "u", (m) => m.setItems(m.popMark())],
  ["EMPTY_SET", 0x8f, (m) => m.set([])],
  ["ADDITEMS", 0x90, (m) => m.add(m.popMark())],
  ["FROZENSET", 0x91, (m) => m.set(m.popMark())],

  // Names, calls and what is outside: questions to the host
  ["GLOBAL", "c", (m) => {
    const module = m.utf8(m.input.line());
    m.push(m.global(module, m.utf8(m.input.line())));
  }],
  ["STACK_GLOBAL", 0x93, (m) => {
    const [module, name] = m.popMany(2);
    m.push(m.global(module, name));
  }],
  ["REDUCE", "R", (m) => {
    const [callable, args] = m.popMany(2);
    m.call(callable, args);
  }],
  ["NEWOBJ", 0x81, (m) => {
    const [callable, args] = m.popMany(2);
    m.call(callable, args);
  }],
  ["NEWOBJ_EX", 0x92, (m) => {
    const [callable, args, keywords] = m.popMany(3);
    m.call(callable, args, keywords);
  }],
  ["INST", "i", (m) => {
    const module = m.utf8(m.input.line());
    const callable = m.global(module, m.utf8(m.input.line()));
    m.call(callable, m.popMark());
  }],
  ["OBJ", "o", (m) => {
    const [callable, ...args] = m.popMark();
    if (callable === undefined) throw m.error("OBJ finds no class");
    m.call(callable, args);
  }],
  ["BUILD", "b", (m) => {
    const state = m.pop();
    m.host.build(m.top(), state);
  }],
  ["PERSID", "P", (m) => m.push(m.host.persistent(m.utf8(m.input.line())))],
  ["BINPERSID", "Q", (m) => m.push(m.host.persistent(m.pop()))],
  ["EXT1", 0x82, (m) => {
    throw m.unsupported("the registry of pickle extensions");
  }],
  ["EXT2", 0x83, (m) => {
    throw m.unsupported("the registry of pickle extensions");
  }],
  ["EXT4", 0x84, (m) => {
    throw m.unsupported("the registry of pickle extensions");
  }],
  ["NEXT_BUFFER", 0x97, (m) => {
    throw m.unsupported("an out-of-band buffer");
  }],
  ["READONLY_BUFFER", 0x98, (m) => {
    throw m.unsupported("an out-of-band buffer");
  }],
]);

function opcodeTable(rows: readonly (readonly [string, string | number, Operation])[]): (Operation | undefined)[] {
  const table = new Array<Operation | undefined>(256);
  for (const [, code, operation] of rows) table[typeof code === "string" ? code.charCodeAt(0) : code] = operation;
  return table;
}
