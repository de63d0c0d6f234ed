/**
 * Shapes and strides: arithmetic on lists of sizes, in elements.
 *
 * @module
 */

/** The sizes of a tensor, outermost first; `[]` is a single element. */
export type Shape = readonly number[];

/** How many elements a tensor of this shape has: the product, 1 for `[]`. */
export function numelOf(shape: Shape): number {
  let product = 1;
  for (const size of shape) product *= size;
  return product;
}

/** Whether two shapes are the same, size by size. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** The strides, in elements, of a dense row-major tensor, with PyTorch's rule that a size of 0 counts as 1. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= Math.max(shape[i], 1);
  }
  return strides;
}

/** Whether elements lie in row-major order without gaps; sizes of 1 and empty tensors do not constrain strides. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 0) return true;
    if (shape[i] !== 1) {
      if (strides[i] !== step) return false;
      step *= shape[i];
    }
  }
  return true;
}

/** A shape in PyTorch's words: `torch.Size([5, 10])`. */
export function torchSize(shape: Shape): string {
  return `torch.Size([${shape.join(", ")}])`;
}
