/**
 * Threads beside this one that take parts of a job: a few calls of kernels whose results do not overlap.
 *
 * A job is a table in wasm memory, a row for each call. Its parts are taken one at a time, by this thread too, so that a
 * thread that comes late, or is held up by another program, leaves its share to the others. A job is never waited for
 * by sleeping: this thread works on it as well, and browsers forbid their main thread to sleep.
 *
 * @module
 */

import { UnsupportedError } from "../errors.ts";
import { sharedImports } from "./shared_module.ts";
import type { Variant } from "./wasm.ts";
import { compileForThreads, type CoreExports } from "./wasm.ts";

/** The kernels that can be called in parts. Their last argument is the address of scratch memory. */
export const KERNELS = ["linear", "linear_half", "matmul"] as const;

/** The name of one. */
export type Kernel = typeof KERNELS[number];

/** The most threads, and parts of a job, which are counted in a byte. */
export const MOST_THREADS = 64;

/** A thread's stack. The kernels use less than a tenth of it. */
const STACK_BYTES = 64 * 1024;

/** Where things are among the words that the threads share. A thread gets this by a message. */
const LAYOUT = {
  /** The number of the job, and in the low byte how many of its parts are to be taken. */
  turn: 0,
  /** How many parts are done. */
  done: 1,
  /** 1 where one failed. */
  failed: 2,
  /** 1 where the threads shall end. */
  stop: 3,
  /** Bytes from one thread's scratch memory to the next one's. */
  scratch: 4,
  /** The table: in each row the kernel, how many arguments it has, and the arguments. */
  table: 16,
  row: 16,
  words: 16 + 16 * MOST_THREADS,
  /** How often a thread looks for work before it sleeps: a tenth of a millisecond, longer than most pauses of layers. */
  looks: 50_000,
} as const;

/** Calls of one kernel whose results do not overlap. */
export interface Job {
  readonly kernel: Kernel;
  /** The arguments of each call; the last of each is the address of scratch memory for all threads. */
  readonly parts: readonly (readonly number[])[];
  /** Bytes of scratch memory that each thread needs. */
  readonly scratchBytes: number;
}

type KernelFunction = (...args: readonly number[]) => void;

/** What a thread is started with. */
interface Start {
  readonly module: WebAssembly.Module;
  readonly imports: WebAssembly.Imports;
  readonly memory: WebAssembly.Memory;
  /** Where the words are. */
  readonly address: number;
  readonly kernels: readonly string[];
  readonly place: Place;
}

/** Which thread, and where things are. */
interface Place {
  /** From 0, which is the one that starts the others. */
  readonly thread: number;
  readonly layout: typeof LAYOUT;
}

/** A thread as the host has it. */
interface Host {
  terminate(): unknown;
}

/** The other threads of one wasm instance. */
export class Workers {
  /** How many threads there are with this one. */
  readonly count: number;
  readonly #exports: CoreExports;
  readonly #words: Int32Array;
  readonly #address: number;
  readonly #stacks: readonly number[];
  readonly #hosts: readonly Host[];
  readonly #kernels: readonly KernelFunction[];
  #jobs = 0;

  /**
   * Starts them, and does not wait until they are there.
   *
   * @param count With this thread, from 2 on.
   * @param exports An instance on shared memory.
   * @throws {UnsupportedError} The host has no threads.
   */
  constructor(count: number, exports: CoreExports, variant: Variant) {
    const { memory } = exports;
    this.count = count;
    this.#exports = exports;
    this.#address = exports.allocate(4 * LAYOUT.words);
    this.#words = new Int32Array(memory.buffer, this.#address, LAYOUT.words).fill(0);
    this.#kernels = KERNELS.map((name) => exports[name]);
    this.#stacks = Array.from({ length: count - 1 }, () => exports.allocate(STACK_BYTES));
    const modules = compileForThreads(variant, this.#stacks.map((stack) => stack + STACK_BYTES));
    this.#hosts = modules.map((module, i) =>
      startThread({
        module,
        imports: sharedImports(memory),
        memory,
        address: this.#address,
        kernels: KERNELS,
        place: { thread: i + 1, layout: LAYOUT },
      })
    );
  }

  /** Does a job, on all threads that come in time. */
  run({ kernel, parts, scratchBytes }: Job): void {
    const words = this.#words;
    words[LAYOUT.done] = 0;
    words[LAYOUT.failed] = 0;
    words[LAYOUT.scratch] = scratchBytes;
    parts.forEach((args, i) => {
      const at = LAYOUT.table + i * LAYOUT.row;
      words[at] = KERNELS.indexOf(kernel);
      words[at + 1] = args.length;
      words.set(args, at + 2);
    });
    this.#open(parts.length);
    takeParts(words, this.#kernels, { thread: 0, layout: LAYOUT });
    while (Atomics.load(words, LAYOUT.done) < parts.length);
    if (Atomics.load(words, LAYOUT.failed) !== 0) {
      throw new Error(`${kernel} failed on one of ${this.count} threads: this is a bug in Graft`);
    }
  }

  /** Ends them. No job is running, so that none of them uses its stack. */
  stop(): void {
    Atomics.store(this.#words, LAYOUT.stop, 1);
    this.#open(0);
    for (const host of this.#hosts) host.terminate();
    for (const stack of this.#stacks) this.#exports.release(stack, STACK_BYTES);
  }

  #open(parts: number): void {
    this.#jobs++;
    Atomics.store(this.#words, LAYOUT.turn, this.#jobs << 8 | parts);
    Atomics.notify(this.#words, LAYOUT.turn);
  }
}

/** Takes parts of the open job until none is left. Its text runs in other threads: it uses nothing but its arguments. */
function takeParts(words: Int32Array, kernels: readonly KernelFunction[], { thread, layout }: Place): void {
  for (;;) {
    const turn = Atomics.load(words, layout.turn);
    const left = turn & 0xff;
    if (left === 0) return;
    // Where another thread was faster, or the job is another one by now, look again.
    if (Atomics.compareExchange(words, layout.turn, turn, turn - 1) !== turn) continue;
    const at = layout.table + (left - 1) * layout.row;
    const args = Array.from(words.subarray(at + 2, at + 2 + words[at + 1]));
    args[args.length - 1] += thread * words[layout.scratch];
    try {
      kernels[words[at]](...args);
    } catch {
      Atomics.store(words, layout.failed, 1);
    }
    Atomics.add(words, layout.done, 1);
  }
}

/** What a further thread does. Its text runs there: it uses its arguments and nothing else. */
function serve({ module, imports, memory, address, kernels, place }: Start, take: typeof takeParts): void {
  const { layout } = place;
  const { exports } = new WebAssembly.Instance(module, imports);
  const words = new Int32Array(memory.buffer, address, layout.words);
  const functions = kernels.map((name) => exports[name] as KernelFunction);
  for (let looks = 0;; looks++) {
    const turn = Atomics.load(words, layout.turn);
    if (Atomics.load(words, layout.stop) !== 0) return;
    if ((turn & 0xff) !== 0) {
      take(words, functions, place);
      looks = 0;
    } else if (looks > layout.looks) {
      Atomics.wait(words, layout.turn, turn);
      looks = 0;
    }
  }
}

/** Starts a thread that keeps no program alive: of Node's kind where there is one (Deno, Node, Bun), else of the web's. */
function startThread(start: Start): Host {
  const threads = process()?.getBuiltinModule?.("node:worker_threads");
  if (threads !== undefined) {
    const text = `(${serve})(require("node:worker_threads").workerData, ${takeParts});`;
    const worker = new threads.Worker(text, { eval: true, workerData: start });
    worker.unref();
    return worker;
  }
  if (typeof Worker === "undefined") {
    throw new UnsupportedError("Cannot start a thread: this host has no workers", "threads");
  }
  const url = URL.createObjectURL(
    new Blob([`onmessage = ({ data }) => (${serve})(data, ${takeParts});`], { type: "text/javascript" }),
  );
  const worker = new Worker(url);
  worker.postMessage(start);
  return worker;
}

/** What is used of Node's process, which a browser lacks. */
interface NodeProcess {
  getBuiltinModule?(name: "node:worker_threads"): WorkerThreads | undefined;
}

/** What is used of Node's worker threads. */
interface WorkerThreads {
  readonly Worker: new (
    text: string,
    options: { readonly eval: true; readonly workerData: Start },
  ) => Host & { unref(): void };
}

function process(): NodeProcess | undefined {
  return Reflect.get(globalThis, "process") as NodeProcess | undefined;
}
