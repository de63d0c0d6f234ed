/**
 * Folding: keys that differ only in their indices become one line, `layers.{0..11}.attn.weight`.
 *
 * @module
 */

/** Several keys as one line. */
export interface Folded {
  /** The keys in one: `layers.{0..11}.attn.weight`, or the key itself. */
  readonly text: string;
  /** The keys, in order. */
  readonly keys: readonly string[];
}

/** A key cut at its dots, with the indices that each place stands for; `null`: a place that is no index. */
interface Block {
  readonly segments: readonly string[];
  readonly indices: readonly (readonly number[] | null)[];
  readonly keys: readonly string[];
}

/** An index as `Sequential` and `ModuleList` write it; `00` and the like are names. */
const INDEX = /^(?:0|[1-9]\d{0,8})$/;

/**
 * Folds keys in the order of each line's first. A line stands for exactly its keys: where some of the combinations are
 * absent, there are several lines.
 */
export function foldKeys(keys: readonly string[]): Folded[] {
  const patterns = new Map<string, Block[]>();
  for (const key of keys) {
    const block = blockOf(key);
    const pattern = block.segments.map((segment, i) => block.indices[i] === null ? segment : "\0").join(".");
    const blocks = patterns.get(pattern);
    if (blocks === undefined) patterns.set(pattern, [block]);
    else blocks.push(block);
  }
  return [...patterns.values()].flatMap((blocks) => mergeBlocks(blocks)).map(({ segments, indices, keys }) => ({
    text: segments.map((segment, i) => showPlace(segment, indices[i])).join("."),
    keys,
  }));
}

/** A glob for the folded keys: its index places become `*`. */
export function foldedGlob(key: string): string {
  return key.split(".").map((segment) => INDEX.test(segment) ? "*" : segment).join(".");
}

function blockOf(key: string): Block {
  const segments = key.split(".");
  return { segments, indices: segments.map((s) => INDEX.test(s) ? [Number(s)] : null), keys: [key] };
}

/** Merges blocks along one place after the other, the innermost first, where all other places are the same. */
function mergeBlocks(blocks: readonly Block[]): readonly Block[] {
  let merged = blocks;
  const places = blocks[0].indices.flatMap((indices, place) => indices === null ? [] : [place]);
  if (blocks.length === 1) return blocks;
  for (const place of places.reverse()) merged = mergeAlong(merged, place);
  return merged;
}

function mergeAlong(blocks: readonly Block[], place: number): readonly Block[] {
  const groups = new Map<string, Block[]>();
  for (const block of blocks) {
    const others = block.indices.map((indices, i) => i === place ? "" : indices?.join(",") ?? "").join(".");
    const group = groups.get(others);
    if (group === undefined) groups.set(others, [block]);
    else group.push(block);
  }
  return [...groups.values()].map((group) => {
    if (group.length === 1) return group[0];
    const all = [...new Set(group.flatMap(({ indices }) => indices[place] ?? []))].sort((a, b) => a - b);
    const [{ segments, indices }] = group;
    return { segments, indices: indices.with(place, all), keys: group.flatMap(({ keys }) => keys) };
  });
}

function showPlace(segment: string, indices: readonly number[] | null): string {
  if (indices === null || indices.length < 2) return segment;
  const runs: string[] = [];
  for (let i = 0; i < indices.length;) {
    let end = i;
    while (end + 1 < indices.length && indices[end + 1] === indices[end] + 1) end++;
    // Two neighbours are no shorter as a range.
    runs.push(end - i > 1 ? `${indices[i]}..${indices[end]}` : indices.slice(i, end + 1).join(","));
    i = end + 1;
  }
  return `{${runs.join(",")}}`;
}
