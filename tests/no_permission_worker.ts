/**
 * Imports the package, constructs a model and runs it with no permission at all, and posts what wasm did when.
 *
 * @module
 */

import "./without_permissions.ts";
import { Linear, manualSeed, Module, ones, relu, Sequential, type Tensor } from "../mod.ts";
import { isStarted } from "../src/core/memory.ts";

class Model extends Module {
  linear1 = new Linear(10, 5);
  linear2 = new Sequential(new Linear(5, 2));
  override forward(x: Tensor): Tensor {
    return this.linear2.forward(relu(this.linear1.forward(x)));
  }
}

const afterImport = isStarted();
manualSeed(0);
const model = new Model();
const text = String(model);
const afterConstruction = isStarted();
const shape = model.forward(ones([3, 10])).shape;
self.postMessage({ afterImport, afterConstruction, afterForward: isStarted(), shape, text });
