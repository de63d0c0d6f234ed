/**
 * The ways to compute a linear layer: ours three times, and each peer that is installed.
 *
 * @module
 */

import { Linear, Tensor } from "../mod.ts";
import type { Contestant } from "./contestant.ts";
import type { BareCore } from "./core.ts";
import { checkLinear, type LinearProblem } from "./linear_problem.ts";
import { onnxruntime } from "./peers/onnxruntime.ts";
import type { LinearContestant, LinearPeer } from "./peers/peer.ts";
import { tfjs } from "./peers/tfjs.ts";

/** `Linear.forward`, as a user calls it: with the tensor of the result, which stays in wasm as tfjs's does. */
const OURS = "Linear.forward";

/** The same from an array to an array, which is what onnxruntime-web's `run` does. */
const OURS_COPIED = "and copies";

/** The kernel on addresses. */
const KERNEL = "kernel alone";

/** The peers that are installed; says which are not. */
export async function linearPeers(): Promise<readonly LinearPeer[]> {
  const peers: LinearPeer[] = [];
  for (const { name, start } of [onnxruntime, tfjs]) {
    const peer = await start();
    if (peer === null) {
      console.error(`${name}: not installed (bench/README.md says how)`);
    } else peers.push(peer);
  }
  return peers;
}

/** Everyone, checked against the scalar loop. */
export async function linearContestants(
  problem: LinearProblem,
  { core, peers }: {
    readonly core: BareCore;
    readonly peers: readonly LinearPeer[];
  },
): Promise<readonly Contestant[]> {
  const contestants = [oursContestant(problem), copyingContestant(problem), kernelContestant(problem, core)];
  for (const peer of peers) contestants.push(await peer.prepare(problem));
  for (const { name, result } of contestants) {
    checkLinear(problem, await result(), name);
  }
  return contestants;
}

/** Ours, as a user calls it. */
export function oursContestant(problem: LinearProblem): LinearContestant {
  const layer = layerOf(problem);
  const x = inputOf(problem);
  return { name: OURS, isAsync: false, run: () => layer.forward(x), result: () => floatsOf(layer.forward(x)) };
}

function copyingContestant(problem: LinearProblem): LinearContestant {
  const layer = layerOf(problem);
  return {
    name: OURS_COPIED,
    isAsync: false,
    run: () => layer.forward(inputOf(problem)).data(),
    result: () => floatsOf(layer.forward(inputOf(problem))),
  };
}

/** The kernel alone, in an instance of the core. */
export function kernelContestant({ shape, x, w, b }: LinearProblem, core: BareCore): LinearContestant {
  const y = core.reserve(shape.m * shape.n);
  const addresses = [core.place(x), core.place(w), core.place(b), y] as const;
  const run = () => core.linear(shape, addresses);
  return {
    name: KERNEL,
    isAsync: false,
    run,
    result() {
      run();
      return core.read(y, shape.m * shape.n);
    },
  };
}

/** The layer of a problem. */
export function layerOf({ shape: { k, n }, w, b }: LinearProblem): Linear {
  const layer = new Linear(k, n);
  layer.loadStateDict({ weight: tensorOf(w, [n, k]), bias: tensorOf(b, [n]) });
  return layer;
}

/** The input of a problem. */
export function inputOf({ shape: { m, k }, x }: LinearProblem): Tensor {
  return tensorOf(x, [m, k]);
}

function tensorOf(values: Float32Array<ArrayBuffer>, shape: readonly number[]): Tensor {
  return Tensor.fromBytes(new Uint8Array(values.buffer), { dtype: "float32", shape });
}

function floatsOf(tensor: Tensor): Float32Array {
  const data = tensor.data();
  if (data instanceof Float32Array) return data;
  throw new TypeError(`Linear.forward gives ${tensor.dtype}, not float32`);
}
