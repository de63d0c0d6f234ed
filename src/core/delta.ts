/**
 * One module as its difference from another. The two modules are mostly the same functions, so that the second costs a
 * tenth of the first. `tools/delta.ts` makes the difference.
 *
 * A delta is a list of steps, each a LEB128 number `n`: where `n` is odd, `n >> 1` bytes are copied from the base, from
 * where the next number (zigzag) says, counted from the end of the copy before; where it is even, `n >> 1` bytes follow
 * as they are. The list begins with the length of the result.
 *
 * @module
 */

/** The bytes that `delta` describes, given the `base` it was made against. */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 0;
  const next = () => {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = delta[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  };
  const result = new Uint8Array(next());
  let from = 0;
  for (let done = 0; done < result.length;) {
    const step = next();
    const length = step >>> 1;
    if ((step & 1) === 0) {
      result.set(delta.subarray(at, at + length), done);
      at += length;
    } else {
      const zigzag = next();
      from += (zigzag >>> 1) ^ -(zigzag & 1);
      result.set(base.subarray(from, from + length), done);
      from += length;
    }
    done += length;
  }
  return result;
}
