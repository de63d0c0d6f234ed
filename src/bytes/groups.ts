/**
 * Work that waits, a bounded number at a time.
 *
 * @module
 */

/** Headers that are read at the same time: enough to hide a disk's answer, few enough for any source. */
export const HEADERS_AT_ONCE = 32;

/** `work` on every item, `size` of them at a time, the results in the order of the items. */
export async function inGroups<T, R>(
  items: readonly T[],
  { size, work }: { readonly size: number; readonly work: (item: T) => Promise<R> },
): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += size) results.push(...await Promise.all(items.slice(i, i + size).map(work)));
  return results;
}
