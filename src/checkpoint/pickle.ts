/**
 * Python's pickle as what it is: a program for a stack machine. Every opcode of protocols 0 to 5 is in the table below,
 * each with what it does to the machine; none of them imports or runs anything.
 *
 * Source: CPython's `Lib/pickletools.py`, which describes each opcode.
 *
 * @module
 */

import type { Inert } from "../state_dict.ts";
import { Machine, type PickleHost, type UnpickleOptions } from "./pickle_machine.ts";
import { decodeLatin1, decodePython2, parseFloatLiteral, parseInteger, parseQuoted } from "./pickle_text.ts";
import { parseRawUnicode } from "./pickle_text.ts";

/** The newest protocol there is. */
const NEWEST_PROTOCOL = 5;

/** There is one, as in Python: nobody can tell. */
const EMPTY_TUPLE: Inert = Object.freeze([]);

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
  while (!machine.stopped) step(machine);
  return { value: machine.pop(), byteLength: machine.input.position };
}

/** One row of the table: the name in `pickletools`, the byte or its character, and what it does. */
type Opcode = readonly [name: string, code: string | number, run: (machine: Machine) => void];

const OPCODES: readonly Opcode[] = [
  // The machine
  ["PROTO", 0x80, (m) => {
    const protocol = m.input.u8();
    if (protocol > NEWEST_PROTOCOL) throw m.newer(`pickle protocol ${protocol}`, NEWEST_PROTOCOL);
  }],
  ["FRAME", 0x95, (m) => {
    const length = m.input.u64();
    if (length > m.input.remaining) throw m.error(`of ${length} bytes goes past the end`);
  }],
  ["STOP", ".", (m) => m.stopped = true],
  ["MARK", "(", (m) => m.mark()],
  ["POP", "0", (m) => m.discard()],
  ["POP_MARK", "1", (m) => m.popMark()],
  ["DUP", "2", (m) => m.push(m.top())],

  // The memo
  ["PUT", "p", (m) => m.remember(m.parsed(parseInteger(m.numberLine()), "an integer"))],
  ["BINPUT", "q", (m) => m.remember(m.input.u8())],
  ["LONG_BINPUT", "r", (m) => m.remember(m.input.u32())],
  ["MEMOIZE", 0x94, (m) => m.memoize()],
  ["GET", "g", (m) => m.recall(m.parsed(parseInteger(m.numberLine()), "an integer"))],
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
  ["SHORT_BINUNICODE", 0x8c, (m) => m.push(m.utf8(m.input.bytes(m.input.u8())))],
  ["BINUNICODE", "X", (m) => m.push(m.utf8(m.input.bytes(m.input.u32())))],
  ["BINUNICODE8", 0x8d, (m) => m.push(m.utf8(m.input.bytes(m.input.u64())))],
  ["STRING", "S", (m) => {
    const literal = parseQuoted(decodeLatin1(m.input.line()));
    m.push(decodePython2(m.parsed(literal, "a quoted string")));
  }],
  ["SHORT_BINSTRING", "U", (m) => m.push(decodePython2(m.input.bytes(m.input.u8())))],
  ["BINSTRING", "T", (m) => m.push(decodePython2(m.input.bytes(m.input.u32())))],
  ["SHORT_BINBYTES", "C", (m) => m.push(m.input.bytes(m.input.u8()).slice())],
  ["BINBYTES", "B", (m) => m.push(m.input.bytes(m.input.u32()).slice())],
  ["BINBYTES8", 0x8e, (m) => m.push(m.input.bytes(m.input.u64()).slice())],
  ["BYTEARRAY8", 0x96, (m) => m.push(m.input.bytes(m.input.u64()).slice())],

  // Containers
  ["EMPTY_TUPLE", ")", (m) => m.push(EMPTY_TUPLE)],
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
    const args = m.pop();
    m.call(m.pop(), args);
  }],
  ["NEWOBJ", 0x81, (m) => {
    const args = m.pop();
    m.call(m.pop(), args);
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
    if (callable === undefined) throw m.error("finds no class");
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
];

/** The rows of the table by their bytes: a program takes millions of steps. */
const BY_BYTE: readonly (Opcode | undefined)[] = Array.from(
  { length: 256 },
  (_, byte) => OPCODES.find(([, code]) => (typeof code === "string" ? code.charCodeAt(0) : code) === byte),
);

function step(machine: Machine): void {
  const byte = machine.opcode();
  const opcode = BY_BYTE[byte];
  if (opcode === undefined) {
    machine.operation = `opcode 0x${byte.toString(16).padStart(2, "0")}`;
    throw machine.error("is unknown");
  }
  machine.operation = opcode[0];
  opcode[2](machine);
}
