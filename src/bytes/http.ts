/**
 * A file behind a URL, read by position with range requests: a model's metadata comes without its tensors, and its
 * tensors one by one. A server that knows no ranges is asked for the whole, which is then kept in memory.
 *
 * Source: RFC 9110, whose section numbers the comments name.
 *
 * @module
 */

import { CheckpointError, LimitError } from "../errors.ts";
import { BlockCache, Blocks, EDGE_BYTES } from "./blocks.ts";
import { type Answer, ask, Interruption, nameOf, Patience, statusOf } from "./request.ts";
import type { OpenSource } from "./source.ts";
import { Spool } from "./spool.ts";

/** Bytes that make a broken-off answer count as progress: below, it counts as a failure. */
const PROGRESS_BYTES = 1 << 20;

/** Refusals of an address that was given for a while only, as redirects to a store of files are. */
const EXPIRED_STATUSES: readonly number[] = [400, 401, 403, 404, 410];

/** How a URL is opened. */
export interface HttpOptions {
  /** Stops every request, also those of later reads. */
  readonly signal?: AbortSignal;
  /** Bytes that are kept of a file whose server knows no ranges. */
  readonly spoolBytes: number;
  /** Where blocks are kept; the files of one checkpoint share it. */
  readonly cache?: BlockCache;
}

/** What opening finds: a file that is read by ranges, of which the first are there, or all of it. */
type Opened =
  | { readonly kind: "ranges"; readonly size: number; readonly head: Uint8Array }
  | { readonly kind: "whole"; readonly spool: Spool };

/** 14.4: the range of an answer; the size of the whole, `null` where the server does not say. */
interface ContentRange {
  readonly first: number;
  readonly end: number;
  readonly size: number | null;
}

/**
 * Opens a file behind an `http:` or `https:` URL. What fails on the way is tried again, what breaks off is continued.
 *
 * @throws {CheckpointError} It cannot be reached, or the server refuses; `cause` is the reason.
 * @throws {LimitError} The server knows no ranges, and the file is longer than `spoolBytes`.
 * @throws {unknown} The signal's reason.
 */
export async function openHttp(url: URL, options: HttpOptions): Promise<OpenSource> {
  const name = nameOf(url);
  if (url.username !== "" || url.password !== "") {
    const way = "fetch it with an Authorization header and pass the Response";
    throw new TypeError(`Cannot open "${name}": its URL has a user name or password; ${way}`);
  }
  const file = new HttpFile(url, name, options.signal);
  try {
    const opened = await file.open(options.spoolBytes);
    if (opened.kind === "whole") {
      file.close();
      return opened.spool.source();
    }
    const { size, head } = opened;
    const fetchRange = (offset: number, end: number) => file.fetchRange(offset, end);
    const blocks = new Blocks({ size, fetchRange, cache: options.cache ?? new BlockCache() });
    blocks.put(0, head);
    return {
      size,
      name,
      async read(offset, length) {
        file.requireOpen();
        return await blocks.read(offset, length);
      },
      close() {
        file.close();
        blocks.clear();
        return Promise.resolve();
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The requests for one file. */
class HttpFile {
  readonly #url: string;
  readonly #name: string;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #forward = () => this.#abort.abort(this.#signal?.reason);
  /** Where redirects led; asked directly until it refuses. */
  #target: string;
  #size = 0;
  #version: Version = { etag: null, lastModified: null };
  #isClosed = false;

  constructor(url: URL, name: string, signal: AbortSignal | undefined) {
    const bare = new URL(url);
    bare.hash = "";
    this.#url = bare.href;
    this.#target = bare.href;
    this.#name = name;
    this.#signal = signal;
    if (signal?.aborted) this.#forward();
    else signal?.addEventListener("abort", this.#forward);
  }

  /** Asks for the beginning, which also tells the size, and whether the server knows ranges. */
  async open(spoolBytes: number): Promise<Opened> {
    const patience = this.#patience();
    let range: readonly [number, number] | null = [0, EDGE_BYTES];
    for (;;) {
      const isWhole = range === null;
      try {
        const opened: Opened | null = await this.#ask(range, (answer) => this.#begin(answer, { spoolBytes, isWhole }));
        if (opened !== null) return opened;
        range = null;
      } catch (error) {
        await patience.afterFailure(error);
      }
    }
  }

  /** The bytes from `offset` to `end`, all of them. An answer that breaks off is continued where it did. */
  async fetchRange(offset: number, end: number): Promise<Uint8Array> {
    const patience = this.#patience();
    const bytes = new Uint8Array(end - offset);
    let done = 0;
    while (done < bytes.length) {
      const before = done;
      try {
        await this.#ask([offset + done, end], async ({ response, pieces }) => {
          const until = this.#requireRange(response, offset + done, end) - offset;
          await this.#fill(bytes, { pieces, done, end: until, onPiece: (at) => done = at });
        });
      } catch (error) {
        if (done - before >= PROGRESS_BYTES) patience.renew();
        await patience.afterFailure(error);
      }
    }
    return bytes;
  }

  /** Ends every request. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#signal?.removeEventListener("abort", this.#forward);
    this.#abort.abort(this.#wrong("it is closed"));
  }

  /**
   * Refuses what comes after the end.
   *
   * @throws {CheckpointError} It was closed.
   */
  requireOpen(): void {
    if (this.#isClosed) throw this.#wrong("it is closed");
  }

  /** Asks once, at the place where the last redirects led. */
  async #ask<T>(range: readonly [number, number] | null, use: (answer: Answer) => Promise<T>): Promise<T> {
    // A range of compressed bytes is no range of the file. Without a range the platform undoes what it agreed to.
    const headers: Record<string, string> = range === null
      ? {}
      : { "Range": `bytes=${range[0]}-${range[1] - 1}`, "Accept-Encoding": "identity" };
    const url = this.#target;
    try {
      return await ask({ url, headers, signal: this.#abort.signal }, async (answer) => {
        this.#requireSuccess(answer.response, url);
        return await use(answer);
      });
    } catch (cause) {
      if (this.#signal?.aborted) throw this.#signal.reason;
      const isOurs = cause instanceof Interruption || cause instanceof CheckpointError || cause instanceof LimitError;
      if (isOurs) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CheckpointError(`Cannot read "${this.#name}": ${reason}`, { format: "http", cause });
    }
  }

  #requireSuccess(response: Response, url: string): void {
    const { status } = response;
    // 15.5.17: 416 says that the range begins behind the end.
    if (status === 200 || status === 206 || status === 416) return;
    const problem = `the server answered ${statusOf(response)}`;
    if (url === this.#url || !EXPIRED_STATUSES.includes(status)) throw this.#wrong(problem);
    this.#target = this.#url;
    throw new Interruption(problem, { delay: 0 });
  }

  /** What the answer to the first request means; `null` if the file has to be asked for as a whole. */
  async #begin(
    { response, pieces }: Answer,
    { spoolBytes, isWhole }: { readonly spoolBytes: number; readonly isWhole: boolean },
  ): Promise<Opened | null> {
    if (response.redirected && response.url !== "") this.#target = response.url;
    const { status } = response;
    if (status === 200 && (isWhole || !isEncoded(response))) {
      return { kind: "whole", spool: await this.#spool(response, { pieces, spoolBytes }) };
    }
    if (isWhole) throw this.#wrong(`it was asked for the whole file, and the server answered ${statusOf(response)}`);
    const range = rangeOf(response);
    if (status === 416 && range?.size === 0) return { kind: "whole", spool: this.#newSpool(spoolBytes) };
    if (status !== 206 || range === null || range.size === null || isEncoded(response)) return null;
    this.#size = range.size;
    this.#version = versionOf(response);
    const head = new Uint8Array(this.#requireRange(response, 0, Math.min(EDGE_BYTES, range.size)));
    await this.#fill(head, { pieces, done: 0, end: head.length });
    return { kind: "ranges", size: range.size, head };
  }

  async #spool(
    response: Response,
    { pieces, spoolBytes }: { readonly pieces: Answer["pieces"]; readonly spoolBytes: number },
  ): Promise<Spool> {
    const spool = this.#newSpool(spoolBytes);
    // Of compressed bytes it is the length before: that of the file is not less, and what comes is counted.
    spool.require(Number(response.headers.get("content-length") ?? 0) || 0);
    for await (const piece of pieces()) spool.add(piece);
    return spool;
  }

  #newSpool(spoolBytes: number): Spool {
    return new Spool({ name: this.#name, spoolBytes });
  }

  /** The end of what an answer brings of the bytes from `offset` to `end`, which are of the same file as before. */
  #requireRange(response: Response, offset: number, end: number): number {
    const range = rangeOf(response);
    const isOther = isOtherVersion(this.#version, versionOf(response));
    if (isOther || response.status === 416 || (range !== null && range.size !== null && range.size !== this.#size)) {
      throw this.#wrong("the file changed while it was open");
    }
    if (response.status === 200) throw this.#wrong("the server answers ranges no longer");
    if (isEncoded(response)) throw this.#wrong("the server compresses ranges, which are then none of the file");
    const asked = `it was asked for the bytes ${offset}-${end - 1}`;
    if (range === null) throw this.#wrong(`${asked}, and the answer does not say which it has`);
    if (range.first !== offset || range.end > end || range.end <= offset) {
      throw this.#wrong(`${asked}, and answered with ${range.first}-${range.end - 1}`);
    }
    return range.end;
  }

  /** Puts the body of an answer into `bytes`, from `done` to `end`; says after each piece how far it came. */
  async #fill(
    bytes: Uint8Array,
    { pieces, done, end, onPiece }: {
      readonly pieces: Answer["pieces"];
      readonly done: number;
      readonly end: number;
      readonly onPiece?: (done: number) => void;
    },
  ): Promise<void> {
    let at = done;
    for await (const piece of pieces()) {
      if (at + piece.length > end) throw this.#wrong("the server sent more bytes than its Content-Range says");
      bytes.set(piece, at);
      at += piece.length;
      onPiece?.(at);
    }
    if (at < bytes.length) throw new Interruption(`the answer ended ${bytes.length - at} bytes early`);
  }

  #patience(): Patience {
    return new Patience(this.#name, this.#abort.signal);
  }

  #wrong(problem: string): CheckpointError {
    return new CheckpointError(`Cannot read "${this.#name}": ${problem}`, { format: "http" });
  }
}

/** What tells two versions of a file apart; `null` where the server does not say. */
interface Version {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

function versionOf({ headers }: Response): Version {
  // 8.8.1: weak means "as good as"; a proxy on the way may have made it so.
  return { etag: headers.get("etag")?.replace(/^W\//, "") ?? null, lastModified: headers.get("last-modified") };
}

/** 8.8.2, 8.8.3: the tag decides where both have one. */
function isOtherVersion(before: Version, now: Version): boolean {
  if (before.etag !== null && now.etag !== null) return before.etag !== now.etag;
  return before.lastModified !== null && now.lastModified !== null && before.lastModified !== now.lastModified;
}

// 14.4: `bytes 0-99/1000`, `bytes 0-99/*`, and with 416 `bytes */1000`.
function rangeOf({ headers }: Response): ContentRange | null {
  const found = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/i.exec(headers.get("content-range")?.trim() ?? "");
  if (found === null) return null;
  const [first, end] = found[1] === undefined ? [0, 0] : [Number(found[1]), Number(found[2]) + 1];
  const size = found[3] === "*" ? null : Number(found[3]);
  const isWhole = [first, end, size ?? 0].every(Number.isSafeInteger) && end <= (size ?? end);
  return isWhole ? { first, end, size } : null;
}

/** 8.4: whether the bytes are not those of the file, or were not until the platform undid it. */
function isEncoded({ headers }: Response): boolean {
  return !/^(identity)?$/i.test(headers.get("content-encoding")?.trim() ?? "");
}
