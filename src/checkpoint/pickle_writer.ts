/**
 * Writing pickles of protocol 2, opcode by opcode as CPython's own pickler does: the same memo, the same batches, the
 * same shortest form of every number. Knows opcodes, and nothing of PyTorch.
 *
 * Source: `Lib/pickle.py` and `Modules/_pickle.c` of CPython 3.13.
 *
 * @module
 */

import { encodeUtf8 } from "./pickle_text.ts";

/** Items of a list or a dict between two marks. */
const BATCH = 1000;

/** Names that Python keeps once however often they are written in a program; it does so with identifiers. */
const INTERNED = /^[A-Za-z_]\w*$/;

/** The class or function of a name. */
export class Global {
  /** The name of a module, and of what is in it. */
  constructor(readonly module: string, readonly name: string) {}
}

/** A Python tuple. */
export class Tuple {
  /** A tuple of these. */
  constructor(readonly items: readonly unknown[]) {}
}

/** A text of its own: written once for every time it is made, though another text may read the same. */
export class Text {
  /** A text. */
  constructor(readonly text: string) {}
}

/** A number with a fraction, also where it has none to show. */
export class Float {
  /** A float. */
  constructor(readonly value: number) {}
}

/** What the reader of the pickle finds by itself, given this. */
export class PersistentId {
  /** Found by this. */
  constructor(readonly id: Tuple) {}
}

/** An object that is made by a call. */
export class Call {
  /** Items of the dict that the call gives. */
  readonly items?: ReadonlyMap<unknown, unknown>;
  /** What is put into the object at the end. */
  readonly state?: unknown;

  /** `callable(...args)`. */
  constructor(
    readonly callable: Global,
    readonly args: Tuple,
    { items, state }: { readonly items?: ReadonlyMap<unknown, unknown>; readonly state?: unknown } = {},
  ) {
    this.items = items;
    this.state = state;
  }
}

/** What an object is written as; `undefined` where it is written as what it is. */
export type Reduce = (value: object) => Global | Call | undefined;

/**
 * A pickle of one value. Numbers are ints where they are whole, and floats otherwise; arrays are lists, frozen ones
 * tuples, as a reader of pickles here gives them; Maps and plain records are dicts. An object that is met again is
 * referred to, so that what is shared stays shared, and cycles end.
 */
export class PickleWriter {
  readonly #bytes = new GrowingBytes();
  readonly #reduce: Reduce;
  /** By object, by a text that Python has once, and by the name of a global. */
  readonly #memo = new Map<unknown, number>();
  #memoSize = 0;

  /** A pickler that asks `reduce` what it does not know how to write. */
  constructor(reduce: Reduce) {
    this.#reduce = reduce;
  }

  /**
   * The pickle of `value`.
   *
   * @throws {TypeError} There is something in it that a pickle has no form for.
   */
  write(value: unknown): Uint8Array<ArrayBuffer> {
    this.#bytes.push(0x80, 2);
    this.#save(value);
    this.#bytes.push(0x2e);
    return this.#bytes.done();
  }

  #save(value: unknown): void {
    if (value === null || value === undefined) this.#bytes.push(0x4e);
    else if (typeof value === "boolean") this.#bytes.push(value ? 0x88 : 0x89);
    else if (typeof value === "number") this.#saveNumber(value);
    else if (typeof value === "bigint") this.#saveInteger(value);
    else if (typeof value === "string") this.#saveText(value, isInterned(value) ? `text ${value}` : {});
    else if (typeof value === "object") this.#saveObject(value);
    else throw new TypeError(`Cannot write a ${typeof value} into a pickle`);
  }

  #saveObject(value: object): void {
    if (value instanceof Float) return this.#saveFloat(value.value);
    if (value instanceof Text) return this.#saveText(value.text, value);
    if (value instanceof Global) return this.#saveGlobal(value);
    if (value instanceof PersistentId) {
      this.#save(value.id);
      this.#bytes.push(0x51);
      return;
    }
    if (this.#recall(value)) return;
    if (value instanceof Tuple) return this.#saveTuple(value.items, value);
    if (value instanceof Call) return this.#saveCall(value, value);
    const reduced = this.#reduce(value);
    if (reduced instanceof Global) return this.#saveGlobal(reduced);
    if (reduced !== undefined) return this.#saveCall(reduced, value);
    if (value instanceof Uint8Array) return this.#saveCall(bytesCall(value), value);
    if (value instanceof Set) return this.#saveCall(new Call(SET, new Tuple([[...value]])), value);
    if (value instanceof Map) return this.#saveDict(value, value);
    if (isArray(value)) return Object.isFrozen(value) ? this.#saveTuple(value, value) : this.#saveList(value);
    if (isRecord(value)) return this.#saveDict(new Map(Object.entries(value)), value);
    throw new TypeError(`Cannot write a ${value.constructor?.name ?? "value without a class"} into a pickle`);
  }

  #saveNumber(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.#saveInteger(BigInt(value));
    else this.#saveFloat(value);
  }

  #saveInteger(value: bigint): void {
    if (value >= 0n && value <= 0xffn) this.#bytes.push(0x4b, Number(value));
    else if (value >= 0n && value <= 0xffffn) this.#bytes.push(0x4d).uint(Number(value), 2);
    else if (value === BigInt.asIntN(32, value)) this.#bytes.push(0x4a).uint(Number(value) >>> 0, 4);
    else this.#saveLong(value);
  }

  /** Two's complement in as few bytes as hold it, its sign included. */
  #saveLong(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    do {
      bytes.push(Number(rest & 0xffn));
      rest >>= 8n;
    } while (rest !== (bytes[bytes.length - 1] & 0x80 ? -1n : 0n));
    if (bytes.length <= 0xff) this.#bytes.push(0x8a, bytes.length);
    else this.#bytes.push(0x8b).uint(bytes.length, 4);
    this.#bytes.append(Uint8Array.from(bytes));
  }

  #saveFloat(value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value); // the one number of a pickle with its first byte first
    this.#bytes.push(0x47).append(bytes);
  }

  #saveText(text: string, key: unknown): void {
    if (this.#recall(key)) return;
    const bytes = encodeUtf8(text);
    this.#bytes.push(0x58).uint(bytes.length, 4).append(bytes);
    this.#memorise(key);
  }

  #saveGlobal({ module, name }: Global): void {
    const key = `global ${module} ${name}`;
    if (this.#recall(key)) return;
    this.#bytes.push(0x63).append(new TextEncoder().encode(`${module}\n${name}\n`));
    this.#memorise(key);
  }

  #saveTuple(items: readonly unknown[], key: object): void {
    if (items.length === 0) {
      this.#bytes.push(0x29);
      return;
    }
    if (items.length > 3) this.#bytes.push(0x28);
    for (const item of items) this.#save(item);
    this.#bytes.push(items.length > 3 ? 0x74 : 0x84 + items.length);
    this.#memorise(key);
  }

  #saveCall({ callable, args, items, state }: Call, key: object): void {
    this.#saveGlobal(callable);
    this.#save(args);
    this.#bytes.push(0x52);
    this.#memorise(key);
    if (items !== undefined) this.#saveItems(items, { isPlain: false });
    if (state === undefined) return;
    this.#save(state);
    this.#bytes.push(0x62);
  }

  #saveDict(map: ReadonlyMap<unknown, unknown>, key: object): void {
    this.#bytes.push(0x7d);
    this.#memorise(key);
    this.#saveItems(map, { isPlain: true });
  }

  /** The C pickler cuts a plain dict otherwise than the items of an object: an odd last one stands between marks. */
  #saveItems(map: ReadonlyMap<unknown, unknown>, { isPlain }: { readonly isPlain: boolean }): void {
    const items = [...map];
    if (items.length === 0) return;
    for (let start = 0; start <= items.length; start += BATCH) {
      const batch = items.slice(start, start + BATCH);
      if (!isPlain && batch.length === 0) break;
      const isSingle = batch.length === 1 && (!isPlain || start === 0);
      if (!isSingle) this.#bytes.push(0x28);
      for (const [key, value] of batch) {
        this.#save(key);
        this.#save(value);
      }
      this.#bytes.push(isSingle ? 0x73 : 0x75);
      if (batch.length < BATCH) break;
    }
  }

  #saveList(list: readonly unknown[]): void {
    this.#bytes.push(0x5d);
    this.#memorise(list);
    if (list.length === 1) {
      this.#save(list[0]);
      this.#bytes.push(0x61);
      return;
    }
    for (let start = 0; start < list.length; start += BATCH) {
      this.#bytes.push(0x28);
      for (const item of list.slice(start, start + BATCH)) this.#save(item);
      this.#bytes.push(0x65);
    }
  }

  #memorise(key: unknown): void {
    const slot = this.#memoSize++;
    this.#memo.set(key, slot);
    if (slot <= 0xff) this.#bytes.push(0x71, slot);
    else this.#bytes.push(0x72).uint(slot, 4);
  }

  #recall(key: unknown): boolean {
    const slot = this.#memo.get(key);
    if (slot === undefined) return false;
    if (slot <= 0xff) this.#bytes.push(0x68, slot);
    else this.#bytes.push(0x6a).uint(slot, 4);
    return true;
  }
}

const SET = new Global("__builtin__", "set");
const ENCODE = new Global("_codecs", "encode");

/**
 * Protocol 2 has no bytes: they are a text whose letters are the bytes, encoded when it is read. CPython calls `bytes`
 * where there are none, which `torch.load` with `weights_only` refuses.
 */
function bytesCall(bytes: Uint8Array): Call {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return new Call(ENCODE, new Tuple([new Text(text), "latin1"]));
}

/** One letter up to U+00FF is one object in Python, however it came to be. */
function isInterned(text: string): boolean {
  return INTERNED.test(text) || text === "" || (text.length === 1 && text <= "\xff");
}

function isArray(value: object): value is readonly unknown[] {
  return Array.isArray(value);
}

function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Bytes that become more. */
class GrowingBytes {
  #bytes = new Uint8Array(1 << 10);
  #length = 0;

  push(...values: readonly number[]): this {
    this.#reserve(values.length);
    for (const value of values) this.#bytes[this.#length++] = value;
    return this;
  }

  /** A number of `width` bytes, its least significant first. */
  uint(value: number, width: 2 | 4): this {
    for (let i = 0; i < width; i++) this.push(value >>> 8 * i & 0xff);
    return this;
  }

  append(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
