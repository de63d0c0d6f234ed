/**
 * Giving memory back before the collector comes.
 *
 * @module
 */

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
