/**
 * The floor of what reads much and computes little: a loop of WebAssembly that reads memory and does nothing with it but
 * keep it from being optimised away.
 *
 * The module is written here byte by byte, because the library has no use for it. It reads four streams side by side:
 * one alone is slower (26 GB/s where four reach 30), and so are eight.
 *
 * @module
 */

/** Places that are read in turns. */
const STREAMS = 4;

/** Vectors of each stream in one turn of the loop. */
const UNROLLED = 4;

/** Bytes of a vector. */
const VECTOR = 16;

/** WebAssembly 2.0, 5.2 to 5.5: types, sections and instructions. */
const [I32, V128] = [0x7f, 0x7b];
const [TYPE, IMPORT, FUNCTION, EXPORT, CODE] = [1, 2, 3, 7, 10];
const [GET, SET, CONSTANT, ADD, MULTIPLY, LESS] = [0x20, 0x21, 0x41, 0x6a, 0x6c, 0x49];
const [LOOP, BRANCH_IF, END, NOTHING] = [0x03, 0x0d, 0x0b, 0x40];
const [LOAD, XOR, LANE] = [[0xfd, 0x00, 0x00], [0xfd, 0x51], [0xfd, 0x1b, 0]];

/** Locals: the two parameters, a pointer of each stream, a sum of each. */
const [ADDRESS, LENGTH] = [0, 1];
const pointerOf = (stream: number) => 2 + stream;
const sumOf = (stream: number) => 2 + STREAMS + stream;

/** Reads `bytes` bytes from an address of a memory; a multiple of 256. */
export function streamReader(memory: WebAssembly.Memory): (address: number, bytes: number) => void {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()), { host: { memory } });
  const { read } = instance.exports;
  if (typeof read !== "function") throw new TypeError("The module of a stream read exports no function");
  return (address, bytes) => {
    read(address, bytes / STREAMS);
  };
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const body = [2, ...locals(STREAMS, I32), ...locals(STREAMS, V128), ...instructions(), END];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    // (address, bytes of a stream) -> something that depends on all of them
    ...section(TYPE, [1, 0x60, 2, I32, I32, 1, I32]),
    ...section(IMPORT, [1, ...text("host"), ...text("memory"), 2, 0, 0]),
    ...section(FUNCTION, [1, 0]),
    ...section(EXPORT, [1, ...text("read"), 0, 0]),
    ...section(CODE, [1, ...unsigned(body.length), ...body]),
  ]);
}

function instructions(): number[] {
  const streams = Array.from({ length: STREAMS }, (_, i) => i);
  const starts = streams.flatMap((i) => [
    ...[GET, ADDRESS, GET, LENGTH, CONSTANT, i, MULTIPLY, ADD, SET, pointerOf(i)],
  ]);
  const end = [GET, ADDRESS, GET, LENGTH, ADD, SET, ADDRESS];
  const reads = Array.from({ length: UNROLLED }, (_, step) =>
    streams.flatMap((i) => [
      ...[GET, sumOf(i), GET, pointerOf(i), ...LOAD, step * VECTOR, ...XOR, SET, sumOf(i)],
    ])).flat();
  const steps = streams.flatMap((i) => [
    ...[GET, pointerOf(i), CONSTANT, ...signed(UNROLLED * VECTOR), ADD, SET, pointerOf(i)],
  ]);
  const again = [GET, pointerOf(0), GET, ADDRESS, LESS, BRANCH_IF, 0];
  const sum = streams.flatMap((i) => i === 0 ? [GET, sumOf(i)] : [GET, sumOf(i), ...XOR]);
  return [...starts, ...end, LOOP, NOTHING, ...reads, ...steps, ...again, END, ...sum, ...LANE];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function locals(count: number, type: number): number[] {
  return [count, type];
}

function text(name: string): number[] {
  return [name.length, ...new TextEncoder().encode(name)];
}

/** LEB128 of a number below 16,384. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, value >>> 7];
}

/** The same where bit 6 of the last byte is the sign. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [value & 0x7f | 0x80, value >>> 7];
}
