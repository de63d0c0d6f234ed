/**
 * How large a shard may be, as Hugging Face's libraries let it be said.
 *
 * Source: `parse_size_to_int` of github.com/huggingface/huggingface_hub, `convert_file_size_to_int` of
 * github.com/huggingface/transformers. They do not agree on small letters, which one takes for bits: none are taken here.
 *
 * @module
 */

/** Bytes of each unit. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["B", 1],
  ["KB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["TB", 1e12],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
]);

/**
 * A number of bytes, or a text that says one.
 *
 * @throws {TypeError} It is neither, or not at least one byte.
 */
export function shardBytesOf(size: number | string): number {
  const bytes = typeof size === "string" ? bytesOf(size) : size;
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new TypeError(
    `Bad shard size ${
      JSON.stringify(size)
    }: expected a whole number of bytes, or a text such as "5GB", "500MB" or "2GiB"`,
  );
}

function bytesOf(text: string): number {
  const { count, unit = "" } = /^(?<count>\d+(\.\d+)?) ?(?<unit>[A-Za-z]*)$/.exec(text.trim())?.groups ?? {};
  return Math.floor(Number(count) * (UNITS.get(unit) ?? NaN));
}
