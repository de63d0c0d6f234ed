/**
 * Blocks of a source where every request costs a round trip: small reads are served from generous blocks, reads that
 * come together are fetched together, and those that follow each other find the next block on its way.
 *
 * @module
 */

/** Bytes at either end that are fetched at once: a header of safetensors, a pickle, the directory of a zip. */
export const EDGE_BYTES = 256 << 10;

/** A read from somewhere else fetches this much at least: what one round trip brings anyway. */
const LEAST_BYTES = 16 << 10;

/** The furthest that is read ahead, reached by doubling: a second of a slow line, a fraction of one of a fast one. */
const MOST_AHEAD_BYTES = 4 << 20;

/** Reads this close follow each other: between two tensors of a zip are a header and padding. */
const NEAR_BYTES = 4 << 10;

/** Fetching this much too much is faster than a request of its own. */
const GAP_BYTES = 128 << 10;

/** The longest block that is put together from several reads. */
const MERGED_BYTES = 8 << 20;

/** What all the files of a checkpoint keep together. */
const CACHE_BYTES = 16 << 20;

/** Requests to one file at a time, as browsers have it. */
const CONNECTIONS = 6;

/** Ends of fetched blocks that are remembered to notice who reads on. */
const REMEMBERED_ENDS = 16;

/** Bytes that are there, or on their way. */
interface Block {
  readonly owner: Blocks;
  readonly offset: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
}

/** A read that found no block. */
interface Miss {
  readonly offset: number;
  readonly end: number;
  readonly resolve: (bytes: Promise<Uint8Array>) => void;
}

/** The blocks of any number of sources, of which the longest unused go first. */
export class BlockCache {
  readonly #blocks = new Set<Block>();
  #bytes = 0;

  /** The block of `owner` that has the byte at `offset`. */
  find(owner: Blocks, offset: number): Block | null {
    for (const block of this.#blocks) {
      if (block.owner !== owner || offset < block.offset || offset >= block.end) continue;
      this.#blocks.delete(block);
      this.#blocks.add(block);
      return block;
    }
    return null;
  }

  /** Where the first block of `owner` begins that begins at `offset` or behind. */
  next(owner: Blocks, offset: number): number {
    let found = Infinity;
    for (const block of this.#blocks) {
      if (block.owner === owner && block.offset >= offset) found = Math.min(found, block.offset);
    }
    return found;
  }

  /** Keeps a block. */
  add(block: Block): void {
    this.#blocks.add(block);
    this.#bytes += block.end - block.offset;
    for (const oldest of this.#blocks) {
      if (this.#bytes <= CACHE_BYTES) break;
      this.delete(oldest);
    }
  }

  /** Forgets a block. */
  delete(block: Block): void {
    if (this.#blocks.delete(block)) this.#bytes -= block.end - block.offset;
  }

  /** Forgets everything of `owner`. */
  clear(owner: Blocks): void {
    for (const block of this.#blocks) if (block.owner === owner) this.delete(block);
  }
}

/** Where blocks come from. */
export interface BlocksOptions {
  /** Bytes of the source. */
  readonly size: number;
  /** The bytes from `offset` to `end`, all of them. */
  readonly fetchRange: (offset: number, end: number) => Promise<Uint8Array>;
  /** Where they are kept. */
  readonly cache: BlockCache;
}

/** The blocks of one source. */
export class Blocks {
  readonly #size: number;
  readonly #fetchRange: BlocksOptions["fetchRange"];
  readonly #cache: BlockCache;
  /** Ends of blocks, and how long those were. */
  readonly #ends = new Map<number, number>();
  #misses: Miss[] = [];
  #running = 0;
  readonly #queue: (() => void)[] = [];

  /** Fetches nothing yet. */
  constructor({ size, fetchRange, cache }: BlocksOptions) {
    this.#size = size;
    this.#fetchRange = fetchRange;
    this.#cache = cache;
  }

  /** Puts in what was fetched before. */
  put(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (end > offset) this.#keep({ owner: this, offset, end, bytes: Promise.resolve(bytes) });
  }

  /** `length` bytes at `offset`, fewer only at the end of the source. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.#size);
    if (!(offset < end)) return new Uint8Array(0);
    const first = this.#cache.find(this, offset);
    if (first === null) return await this.#fetch(offset, end);
    const head = first.bytes.then((bytes) => bytes.subarray(offset - first.offset, end - first.offset));
    // What is read to its end was read ahead and is not wanted again; the ends of the file hold what is.
    if (first.end <= end && first.offset > 0 && first.end < this.#size) this.#cache.delete(first);
    if (end <= first.end) return await head;
    const parts = await Promise.all([head, this.read(first.end, end - first.end)]);
    const whole = new Uint8Array(end - offset);
    whole.set(parts[0]);
    whole.set(parts[1], parts[0].length);
    return whole;
  }

  /** Forgets everything. */
  clear(): void {
    this.#cache.clear(this);
  }

  /** Reads of one turn are looked at together, at its end. */
  #fetch(offset: number, end: number): Promise<Uint8Array> {
    if (this.#misses.length === 0) queueMicrotask(() => this.#fetchMisses());
    return new Promise((resolve) => this.#misses.push({ offset, end, resolve }));
  }

  #fetchMisses(): void {
    const misses = this.#misses.sort((a, b) => a.offset - b.offset);
    this.#misses = [];
    for (let i = 0; i < misses.length;) {
      const { offset } = misses[i];
      let { end } = misses[i];
      const group = [misses[i++]];
      while (i < misses.length && misses[i].offset <= end + GAP_BYTES) {
        const merged = Math.max(end, misses[i].end);
        if (merged - offset > MERGED_BYTES) break;
        end = merged;
        group.push(misses[i++]);
      }
      const block = this.#begin(offset, end, { isShared: group.length > 1 });
      for (const miss of group) {
        const within = { from: miss.offset - block.offset, to: miss.end - block.offset };
        miss.resolve(block.bytes.then((bytes) => bytes.subarray(within.from, within.to)));
      }
    }
  }

  /** Begins to fetch a block that has all from `offset` to `end`, and what is likely to be wanted with it. */
  #begin(offset: number, end: number, { isShared }: { readonly isShared: boolean }): Block {
    const ahead = this.#ahead(offset);
    const isTail = ahead === null && offset >= this.#size - EDGE_BYTES;
    const from = isTail ? Math.max(0, this.#size - EDGE_BYTES) : offset;
    const wanted = isTail ? this.#size : Math.min(this.#size, offset + (ahead ?? LEAST_BYTES));
    const to = Math.max(end, Math.min(wanted, this.#cache.next(this, end)));
    const bytes = this.#whenFree(() => this.#fetchRange(from, to));
    const block: Block = { owner: this, offset: from, end: to, bytes };
    bytes.catch(() => this.#cache.delete(block)); // whoever waits for it is told
    // What was asked for alone and is long is used up at once.
    if (isShared || from < offset || to > end || to - from <= LEAST_BYTES) this.#keep(block);
    else this.#remember(block);
    return block;
  }

  /** How far to read on, where someone read up to `offset` before; `null` where nobody did. */
  #ahead(offset: number): number | null {
    let longest: number | null = null;
    for (const [end, length] of this.#ends) {
      if (end <= offset && offset <= end + NEAR_BYTES) longest = Math.max(longest ?? 0, length);
    }
    return longest === null ? null : Math.min(MOST_AHEAD_BYTES, 2 * longest);
  }

  #keep(block: Block): void {
    this.#cache.add(block);
    this.#remember(block);
  }

  #remember({ offset, end }: Block): void {
    this.#ends.set(end, end - offset);
    for (const oldest of this.#ends.keys()) {
      if (this.#ends.size <= REMEMBERED_ENDS) break;
      this.#ends.delete(oldest);
    }
  }

  async #whenFree<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= CONNECTIONS) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running--;
      else next(); // takes over the place
    }
  }
}
