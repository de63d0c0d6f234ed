/**
 * onnxruntime-web as a peer: one thread of wasm, everything optimised, the weights inside the model.
 *
 * @module
 */

import { gemmModel } from "./onnx_gemm.ts";
import { importPeer, isOnnxruntime, peerFile, requireFloats } from "./peer.ts";
import type { LinearPeer, Onnxruntime, PeerLoader } from "./peer.ts";

/** The entry that has the wasm backend and no others. */
const ENTRY = "onnxruntime-web/wasm";

/** Its one wasm module; it is given to the library as bytes, which it would otherwise fetch. */
const WASM = "onnxruntime-web/ort-wasm-simd-threaded.wasm";

/** Starts onnxruntime-web. */
export const onnxruntime: PeerLoader = { name: "onnxruntime-web", start };

async function start(): Promise<LinearPeer | null> {
  const module = await importPeer(ENTRY);
  if (module === null) return null;
  if (!isOnnxruntime(module)) {
    throw new TypeError(`${ENTRY} has another interface than its version 1.30`);
  }
  module.env.wasm.numThreads = 1;
  module.env.wasm.wasmBinary = await (await fetch(peerFile(WASM))).bytes();
  return {
    name: onnxruntime.name,
    version: module.env.versions.common,
    prepare: (problem) => prepare(module, problem),
  };
}

async function prepare({ InferenceSession, Tensor }: Onnxruntime, problem: Parameters<LinearPeer["prepare"]>[0]) {
  const session = await InferenceSession.create(gemmModel(problem), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  const { m, k } = problem.shape;
  const feeds = { x: new Tensor("float32", problem.x, [m, k]) };
  const run = () => session.run(feeds);
  return { name: onnxruntime.name, isAsync: true, run, result: async () => requireFloats((await run()).y.data) };
}
