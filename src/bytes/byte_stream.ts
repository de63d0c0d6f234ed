/**
 * Bytes on their way into a file: pieces as a stream, and pieces that must be as many bytes as was said.
 *
 * @module
 */

/**
 * The chunks as a stream. One is held at a time, and none is asked for before the reader wants it; a reader that gives up
 * ends the generator.
 */
export function byteStream(chunks: AsyncGenerator<Uint8Array, undefined>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(own(value));
    },
    async cancel() {
      await chunks.return(undefined);
    },
  }, { highWaterMark: 0 });
}

/**
 * The pieces, which together are to have `byteLength` bytes. What is too long is not given out: where the length stands
 * in the file already, it would move everything behind it.
 *
 * @throws {RangeError} They have more or fewer.
 */
export async function* exactPieces(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { byteLength, what }: { readonly byteLength: number; readonly what: string },
): AsyncGenerator<Uint8Array, undefined> {
  let got = 0;
  for await (const piece of pieces) {
    got += piece.length;
    if (got > byteLength) break;
    if (piece.length > 0) yield piece;
  }
  if (got !== byteLength) {
    throw new RangeError(`Cannot write ${what}: it has ${byteLength} bytes, its pieces ${got}`);
  }
}

/** On memory of the kind that a writer takes. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes;
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, length) : new Uint8Array(bytes);
}
