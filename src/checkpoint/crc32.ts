/**
 * CRC-32 as zip has it: the reflected polynomial 0xEDB88320, eight bytes a step ("slicing by eight", Kounavis and Berry,
 * 2005).
 *
 * @module
 */

const POLYNOMIAL = 0xedb88320;

/** Bytes of one step. */
const STEP = 8;

/** Table `n` advances the checksum of a byte past `n` further bytes. Made when first needed: an import should cost nothing. */
let tables: readonly Uint32Array[] | null = null;

/**
 * The checksum of `bytes`, or of what `before` is the checksum of with `bytes` behind it.
 */
export function crc32(bytes: Uint8Array, before: number = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables ??= makeTables();
  const whole = bytes.length - bytes.length % STEP;
  let crc = ~before;
  let i = 0;
  for (; i < whole; i += STEP) {
    const low = crc ^ (bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 | bytes[i + 3] << 24);
    crc = t7[low & 0xff] ^ t6[low >>> 8 & 0xff] ^ t5[low >>> 16 & 0xff] ^ t4[low >>> 24] ^
      t3[bytes[i + 4]] ^ t2[bytes[i + 5]] ^ t1[bytes[i + 6]] ^ t0[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]) & 0xff] ^ crc >>> 8;
  return ~crc >>> 0;
}

function makeTables(): Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? POLYNOMIAL ^ crc >>> 1 : crc >>> 1;
    return crc;
  });
  const made = [first];
  for (let n = 1; n < STEP; n++) made.push(made[n - 1].map((crc) => first[crc & 0xff] ^ crc >>> 8));
  return made;
}
