/**
 * TensorFlow.js as a peer: its wasm backend with SIMD and one thread, the fused matrix product with the weights
 * transposed beforehand, which is its fastest way. The result is disposed of and not downloaded.
 *
 * @module
 */

import { importPeer, isTfjsCore, isTfjsWasm, peerFile, requireFloats } from "./peer.ts";
import type { LinearContestant, LinearPeer, PeerLoader, TfjsCore } from "./peer.ts";

/** Its operations. */
const CORE = "@tensorflow/tfjs-core";

/** Its kernels; the wasm modules lie beside the entry. */
const WASM = "@tensorflow/tfjs-backend-wasm";

/** Starts TensorFlow.js. */
export const tfjs: PeerLoader = { name: "tfjs-wasm", start };

/** Its core with the wasm backend set, or `null` where it is not installed. */
export async function startTfjs(): Promise<TfjsCore | null> {
  const core = await importPeer(CORE);
  const wasm = await importPeer(WASM);
  if (core === null || wasm === null) return null;
  if (!isTfjsCore(core) || !isTfjsWasm(wasm)) {
    throw new TypeError(`${CORE} has another interface than its version 4.22`);
  }
  wasm.setWasmPaths(new URL(".", peerFile(WASM)).href);
  wasm.setThreadsCount(1);
  if (!await core.setBackend("wasm")) throw new Error(`${WASM} does not start`);
  await core.ready();
  return core;
}

async function start(): Promise<LinearPeer | null> {
  const core = await startTfjs();
  if (core === null) return null;
  return { name: tfjs.name, version: core.version_core, prepare: (problem) => Promise.resolve(prepare(core, problem)) };
}

function prepare(core: TfjsCore, { shape: { m, k, n }, x, w, b }: Parameters<LinearPeer["prepare"]>[0]) {
  const operands = {
    a: core.tensor2d(x, [m, k]),
    b: core.tensor2d(transposed(w, [n, k]), [k, n]),
    bias: core.tensor1d(b),
  };
  const contestant: LinearContestant = {
    name: tfjs.name,
    isAsync: false,
    run: () => core.fused.matMul(operands).dispose(),
    result() {
      const y = core.fused.matMul(operands);
      const values = requireFloats(y.dataSync()).slice();
      y.dispose();
      return values;
    },
  };
  return contestant;
}

function transposed(values: Float32Array, [rows, columns]: readonly [number, number]): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column];
    }
  }
  return result;
}
