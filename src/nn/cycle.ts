/**
 * Module trees that are none.
 *
 * @module
 */

import type { Module } from "./module.ts";

/**
 * Refuses a module inside of itself, which would never end.
 *
 * @throws {TypeError} `module` is among those above it.
 */
export function refuseCycle(module: Module, path: string, above: readonly Module[]): void {
  if (above.includes(module)) {
    throw new TypeError(`Module ${module.constructor.name} contains itself: it is there again at "${path}"`);
  }
}

/**
 * Refuses a tree with a module inside of itself, looking at every module once.
 *
 * @throws {TypeError} There is one.
 */
export function refuseCycles(root: Module): void {
  const done = new Set<Module>();
  const visit = (module: Module, path: string, above: readonly Module[]): void => {
    refuseCycle(module, path, above);
    if (done.has(module)) return;
    const below = [...above, module];
    for (const [name, child] of module.namedChildren()) visit(child, path === "" ? name : `${path}.${name}`, below);
    done.add(module);
  };
  visit(root, "", []);
}
