/**
 * Models of about a gigabyte: nothing but keys and shapes.
 *
 * @module
 */

import { Module, Parameter, zeros } from "../mod.ts";
import type { Entry } from "./large_file.ts";

/** Models of about a gigabyte. */
export const GIGABYTE_MODELS: Readonly<Record<string, () => Entry[]>> = {
  "BERT-shaped": bert,
  "ResNet-shaped": resnet,
  "10,000 small": () => Array.from({ length: 10_000 }, (_, i): Entry => [`${i}.weight`, [160, 160]]),
};

/** A module of nothing but entries. */
export class Shapes extends Module {
  constructor(entries: readonly Entry[]) {
    super();
    const modules = new Map<string, Module>([["", this]]);
    for (const [key, shape] of entries) {
      const parts = key.split(".");
      const name = parts.pop() ?? "";
      moduleAt(modules, parts).registerParameter(name, new Parameter(zeros(shape)));
    }
  }
  override forward(): never {
    throw new Error("This model is loaded, not run");
  }
}

function moduleAt(modules: Map<string, Module>, parts: readonly string[]): Module {
  const path = parts.join(".");
  const known = modules.get(path);
  if (known !== undefined) return known;
  const made = new Shapes([]);
  moduleAt(modules, parts.slice(0, -1)).registerModule(parts[parts.length - 1], made);
  modules.set(path, made);
  return made;
}

/** 18 blocks of width 1024, with embeddings. */
function bert(): Entry[] {
  const blocks = Array.from({ length: 18 }, (_, i): Entry[] => {
    const linear = (name: string, out: number, inputs: number): Entry[] => {
      return [[`layer.${i}.${name}.weight`, [out, inputs]], [`layer.${i}.${name}.bias`, [out]]];
    };
    const norm = (name: string): Entry[] => ["weight", "bias"].map((part) => [`layer.${i}.${name}.${part}`, [1024]]);
    return [
      ...["query", "key", "value", "output"].flatMap((name) => linear(name, 1024, 1024)),
      ...norm("norm1"),
      ...linear("up", 4096, 1024),
      ...linear("down", 1024, 4096),
      ...norm("norm2"),
    ];
  });
  return [["word.weight", [30_522, 1024]], ["position.weight", [512, 1024]], ...blocks.flat()];
}

/** Bottleneck blocks of four widths, with batch norms. */
function resnet(): Entry[] {
  return Array.from({ length: 260 }, (_, i): Entry[] => {
    const width = [64, 128, 256, 512][i % 4];
    const norm = (name: string, size: number): Entry[] => {
      return ["weight", "bias", "running_mean", "running_var"].map((part) => [`block.${i}.${name}.${part}`, [size]]);
    };
    return [
      [`block.${i}.conv1.weight`, [width, 4 * width, 1, 1]],
      ...norm("bn1", width),
      [`block.${i}.conv2.weight`, [width, width, 3, 3]],
      ...norm("bn2", width),
      [`block.${i}.conv3.weight`, [4 * width, width, 1, 1]],
      ...norm("bn3", 4 * width),
    ];
  }).flat();
}
