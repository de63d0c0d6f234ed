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
