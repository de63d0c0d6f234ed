/**
 * Memory for bytes: getting it, with an error that says what it was for, and giving it back before the collector comes.
 *
 * @module
 */

/**
 * Memory that nobody has written to.
 *
 * @param what What is to be read into it, for the error.
 * @throws {RangeError} The engine has no such amount.
 */
export function allocate(byteLength: number, what: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(byteLength);
  } catch (cause) {
    throw new RangeError(`Cannot read ${what}: this engine cannot allocate ${byteLength} bytes`, { cause });
  }
}

/**
 * Gives back the memory of bytes that are one's own and not needed any more; they have no length afterwards. A file that
 * goes by in pieces would else leave many of them behind, and the collector looks at them late: they are large and few.
 * Bytes that are a part of some memory are left alone: the rest may be somebody else's.
 */
export function free(bytes: Uint8Array): void {
  const { buffer, length } = bytes;
  // Engines from before 2024 have no other way than to wait.
  if (buffer instanceof ArrayBuffer && length === buffer.byteLength) buffer.transfer?.(0);
}
