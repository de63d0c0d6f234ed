/**
 * A module as its twin on shared memory: the same code, byte for byte, whose memory is imported instead of its own.
 *
 * Threads need nothing else of kernels that neither allocate nor keep anything in variables of the module: plain loads
 * and stores work on shared memory too. So there is no third module to build and to ship, and any number of threads
 * gives the bits that one gives. The twin for a further thread has a stack of its own, and no data: writing those again
 * would undo what happened since.
 *
 * Source: WebAssembly Core Specification 2.0, §5.5 (sections); the threads proposal for shared limits.
 *
 * @module
 */

/** Bytes before the first section: the magic number and the version. */
const PREAMBLE = 8;

/** Section ids. */
const IMPORT = 2;
const FUNCTION = 3;
const MEMORY = 5;
const GLOBAL = 6;
const DATA = 11;

/** The memory is imported as `graft.memory`. */
const IMPORT_NAMES = ["graft", "memory"] as const;

/** Of an import: it is a memory. Of a memory's limits: shared, with a maximum. */
const MEMORY_IMPORT = 0x02;
const SHARED_LIMITS = 0x03;

/** How a global section begins that LLVM wrote, behind its count: the stack pointer, `(mut i32)` by `i32.const`. */
const STACK_POINTER = [0x7f, 0x01, 0x41] as const;

/** Pages of 64 KiB that shared memory may grow to: all that 32-bit addresses reach. */
const MOST_PAGES = 65_536;

/** A section of a module. */
interface Section {
  readonly id: number;
  /** With its id and its length. */
  readonly bytes: Uint8Array;
  readonly body: Uint8Array;
}

/** Shared memory that a module can begin with, and grow. */
export function sharedMemory(module: Uint8Array): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: initialPages(sectionsOf(module)), maximum: MOST_PAGES, shared: true });
}

/** What a twin is instantiated with. */
export function sharedImports(memory: WebAssembly.Memory): WebAssembly.Imports {
  const [module, field] = IMPORT_NAMES;
  return { [module]: { [field]: memory } };
}

/**
 * The twin of a module that has one memory, no imports, and the stack pointer as its first global. With a `stackTop`
 * (the address behind the highest byte of a stack), it is one for a further thread.
 */
export function sharedModule(
  module: Uint8Array,
  { stackTop = null }: { readonly stackTop?: number | null } = {},
): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(module);
  const parts = [module.subarray(0, PREAMBLE)];
  for (const { id, bytes, body } of sections) {
    // Imports come before functions.
    if (id === FUNCTION) parts.push(importSection(initialPages(sections)));
    if (id === MEMORY || (id === DATA && stackTop !== null)) continue;
    parts.push(id === GLOBAL && stackTop !== null ? withStack(body, stackTop) : bytes);
  }
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function sectionsOf(module: Uint8Array): readonly Section[] {
  const sections: Section[] = [];
  for (let at = PREAMBLE; at < module.length;) {
    const { value: length, end: start } = readUnsigned(module, at + 1);
    const end = start + length;
    sections.push({ id: module[at], bytes: module.subarray(at, end), body: module.subarray(start, end) });
    at = end;
  }
  return sections;
}

/** Pages that a module's memory has at the start: behind the count of memories and the limits' flags. */
function initialPages(sections: readonly Section[]): number {
  const memory = sections.find(({ id }) => id === MEMORY);
  if (memory === undefined) throw new TypeError("Cannot share a module's memory: it has none");
  return readUnsigned(memory.body, 2).value;
}

function importSection(pages: number): Uint8Array {
  const names = IMPORT_NAMES.flatMap((name) => [name.length, ...new TextEncoder().encode(name)]);
  return encodeSection(IMPORT, [
    1,
    ...names,
    MEMORY_IMPORT,
    SHARED_LIMITS,
    ...unsigned(pages),
    ...unsigned(MOST_PAGES),
  ]);
}

/** A global section with another value for the stack pointer. */
function withStack(body: Uint8Array, stackTop: number): Uint8Array {
  const start = 1 + STACK_POINTER.length;
  if (STACK_POINTER.some((byte, i) => body[1 + i] !== byte)) {
    throw new TypeError("Cannot move a module's stack: its first global is not a stack pointer");
  }
  const { end } = readUnsigned(body, start);
  return encodeSection(GLOBAL, [...body.subarray(0, start), ...signed(stackTop), ...body.subarray(end)]);
}

function encodeSection(id: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([id, ...unsigned(body.length), ...body]);
}

/** A LEB128 number, and where it ends. */
function readUnsigned(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = start, shift = 0;; at++, shift += 7) {
    value |= (bytes[at] & 0x7f) << shift;
    if (bytes[at] < 0x80) return { value: value >>> 0, end: at + 1 };
  }
}

function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...unsigned(value >>> 7)];
}

/** Signed LEB128, as constants in code are; an address of 2 GiB and more is negative. */
function signed(value: number): readonly number[] {
  const rest = value >> 7;
  const isLast = value << 25 >> 25 === value;
  return isLast ? [value & 0x7f] : [value & 0x7f | 0x80, ...signed(rest)];
}
