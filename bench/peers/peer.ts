/**
 * Other libraries, where they are installed.
 *
 * The packages are named by variables: a literal name would have to resolve for the type checker, installed or not.
 * What is used of them is declared here instead of taken from their own declarations, for the same reason.
 *
 * @module
 */

import type { Contestant } from "../contestant.ts";
import type { LinearProblem } from "../linear_problem.ts";

/** A contestant whose result can be checked. */
export interface LinearContestant extends Contestant {
  /** Runs it once more and copies the result out. */
  result(): Float32Array | Promise<Float32Array>;
}

/** A library that computes linear layers. */
export interface LinearPeer {
  /** Its name. */
  readonly name: string;
  /** The version that is installed. */
  readonly version: string;
  /** Builds the layer, with everything done beforehand that it can do beforehand. */
  prepare(problem: LinearProblem): Promise<LinearContestant>;
}

/** How a library is started. */
export interface PeerLoader {
  /** Its name, also where it is not installed. */
  readonly name: string;
  /** `null` where it is not installed. */
  start(): Promise<LinearPeer | null>;
}

/** What is used of onnxruntime-web 1.30. */
export interface Onnxruntime {
  readonly env: {
    readonly versions: { readonly common: string };
    readonly wasm: { numThreads: number; wasmBinary: Uint8Array };
  };
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OnnxTensor;
}

/** A model that is ready to run. */
export interface OnnxSession {
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
}

/** A tensor on the JavaScript side. */
export interface OnnxTensor {
  readonly data: unknown;
}

/** What is used of @tensorflow/tfjs-core 4.22. */
export interface TfjsCore {
  readonly version_core: string;
  readonly fused: {
    matMul(
      operands: {
        readonly a: TfjsTensor;
        readonly b: TfjsTensor;
        readonly bias: TfjsTensor;
      },
    ): TfjsTensor;
  };
  setBackend(name: "wasm"): Promise<boolean>;
  ready(): Promise<void>;
  tensor1d(values: Float32Array): TfjsTensor;
  tensor2d(values: Float32Array, shape: readonly [number, number]): TfjsTensor;
  randomUniform(shape: readonly number[], from: number, to: number): TfjsTensor;
}

/** A tensor in tfjs's own wasm memory. */
export interface TfjsTensor {
  dataSync(): unknown;
  dispose(): void;
}

/** What is used of @tensorflow/tfjs-backend-wasm 4.22. */
export interface TfjsWasm {
  setWasmPaths(folder: string): void;
  setThreadsCount(count: number): void;
}

/** A module, or `null` where it is not installed. */
export async function importPeer(specifier: string): Promise<unknown> {
  try {
    // deno-lint-ignore layers/imports -- a package that may be absent
    return await import(specifier);
  } catch (error) {
    // Deno throws this where it cannot resolve a name, whether the config or the folder lacks it.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** The URL of a file of a package: what Deno's configuration says, or the import map of a page. */
export function peerFile(specifier: string): string {
  return import.meta.resolve(specifier);
}

/** Whether a module is onnxruntime-web. */
export function isOnnxruntime(module: unknown): module is Onnxruntime {
  return hasAll(module, ["env", "InferenceSession", "Tensor"]);
}

/** Whether a module is tfjs's core. */
export function isTfjsCore(module: unknown): module is TfjsCore {
  return hasAll(module, [
    "version_core",
    "fused",
    "setBackend",
    "ready",
    "tensor1d",
    "tensor2d",
    "randomUniform",
  ]);
}

/** Whether a module is tfjs's wasm backend. */
export function isTfjsWasm(module: unknown): module is TfjsWasm {
  return hasAll(module, ["setWasmPaths", "setThreadsCount"]);
}

/** The values a peer gives, which must be float32. */
export function requireFloats(values: unknown): Float32Array {
  if (values instanceof Float32Array) return values;
  throw new TypeError(`A peer gives ${Object.prototype.toString.call(values)}, not float32`);
}

function hasAll(module: unknown, names: readonly string[]): boolean {
  return typeof module === "object" && module !== null &&
    names.every((name) => name in module);
}
