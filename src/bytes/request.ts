/**
 * One request over http, and what is done when it fails on the way: wait, and ask again.
 *
 * Source: RFC 9110, whose section numbers the comments name.
 *
 * @module
 */

import { CheckpointError } from "../errors.ts";

/** How often a request is repeated that brought nothing new; with the delays below, for about 8 seconds. */
export const MAX_RETRIES = 5;

/** Milliseconds before the first repetition; each further one waits twice as long. */
const FIRST_DELAY_MS = 250;

/** The longest that a server may ask to wait (`Retry-After`) before it is taken for a refusal. */
const LONGEST_DELAY_MS = 60_000;

/** A connection that brings no byte for this long is given up and made anew. */
const STALL_MS = 60_000;

/** Beside all of 5xx, the answers that mean "not now": request timeout, too early, too many requests. */
const TEMPORARY_STATUSES: readonly number[] = [408, 425, 429];

/** What Deno throws where access to the network was not given. */
const PERMISSION_ERRORS: readonly string[] = ["NotCapable", "PermissionDenied"];

/** A request that failed on the way and may go better the next time. */
export class Interruption extends Error {
  /** The name of the class. */
  override readonly name: string = "Interruption";
  /** How long the server asks to wait, in milliseconds; `undefined` if it does not say. */
  readonly delay?: number;

  /** Says in `message` what happened, as the end of a sentence. */
  constructor(message: string, options: ErrorOptions & { readonly delay?: number } = {}) {
    super(message, options);
    if (options.delay !== undefined) this.delay = options.delay;
  }
}

/** What is asked for. */
export interface Request {
  /** Where. */
  readonly url: string;
  /** The headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** Stops it. */
  readonly signal: AbortSignal;
}

/** An answer whose status is not a temporary one. */
export interface Answer {
  /** Its status, headers, and where it came from at last. */
  readonly response: Response;
  /** The pieces of its body, as they come. */
  readonly pieces: () => AsyncGenerator<Uint8Array>;
}

/**
 * Asks once. Whatever of the body `use` leaves is thrown away.
 *
 * @throws {Interruption} The connection failed, stalled or broke off, or the status is a temporary one.
 * @throws {unknown} What `use` throws, the signal's reason, or what keeps the request from being made at all.
 */
export async function ask<T>({ url, headers, signal }: Request, use: (answer: Answer) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const connection = new AbortController();
  const abort = () => connection.abort(signal.reason);
  signal.addEventListener("abort", abort);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const response = await waiting(() => fetch(url, { headers, signal: connection.signal }));
    try {
      if (response.status >= 500 || TEMPORARY_STATUSES.includes(response.status)) {
        const delay = delayOf(response.headers.get("retry-after"));
        throw new Interruption(`the server answered ${statusOf(response)}`, delay === null ? {} : { delay });
      }
      return await use({ response, pieces: () => pieces(response.body) });
    } finally {
      if (response.body !== null && !response.body.locked) await response.body.cancel().catch(() => {});
    }
  } finally {
    signal.removeEventListener("abort", abort);
  }

  async function* pieces(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
    if (body === null) return;
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await waiting(() => reader.read());
        if (done) return;
        yield value;
      }
    } finally {
      await reader.cancel().catch(() => {}); // it failed, or nobody wants the rest
      reader.releaseLock();
    }
  }

  async function waiting<V>(work: () => Promise<V>): Promise<V> {
    let stalled = false;
    timer = setTimeout(() => {
      stalled = true;
      connection.abort();
    }, STALL_MS);
    try {
      return await work();
    } catch (cause) {
      signal.throwIfAborted();
      if (stalled) throw new Interruption(`no byte came for ${STALL_MS / 1000} seconds`, { cause });
      // Not every platform has one class for what fails on the network; asking again gives no permission.
      if (!(cause instanceof Error) || PERMISSION_ERRORS.includes(cause.name)) throw cause;
      throw new Interruption(cause.message, { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Waits before asking again, and gives up after {@linkcode MAX_RETRIES} times. */
export class Patience {
  readonly #name: string;
  readonly #signal: AbortSignal;
  #failures = 0;

  /** Nothing has failed yet. */
  constructor(name: string, signal: AbortSignal) {
    this.#name = name;
    this.#signal = signal;
  }

  /** The last request brought something: what failed before no longer counts. */
  renew(): void {
    this.#failures = 0;
  }

  /**
   * Waits, if `error` may go better the next time.
   *
   * @throws {CheckpointError} It failed too often, or the server asks for too long a wait.
   * @throws {unknown} `error` itself, if it is no {@linkcode Interruption}; the signal's reason.
   */
  async afterFailure(error: unknown): Promise<void> {
    if (!(error instanceof Interruption)) throw error;
    const { message, delay, cause } = error;
    const about = { format: "http", cause: cause ?? error };
    if (delay !== undefined && delay > LONGEST_DELAY_MS) {
      const wish = `and asks to wait ${Math.ceil(delay / 1000)} seconds`;
      throw new CheckpointError(`Cannot read "${this.#name}": ${message}, ${wish}`, about);
    }
    if (this.#failures === MAX_RETRIES) {
      throw new CheckpointError(`Cannot read "${this.#name}": ${message} (after ${MAX_RETRIES + 1} attempts)`, about);
    }
    // A random part keeps many readers from coming back all at once.
    const backOff = FIRST_DELAY_MS * 2 ** this.#failures * (0.5 + Math.random() / 2);
    this.#failures++;
    await pause(delay ?? backOff, this.#signal);
  }
}

/** What errors call a URL. What is behind a question mark is often a password. */
export function nameOf(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** `404 Not Found`. */
export function statusOf({ status, statusText }: Response): string {
  return `${status} ${statusText}`.trim();
}

/** 10.2.3: seconds, or a date. */
function delayOf(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
