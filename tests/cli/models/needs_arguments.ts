import { Linear } from "../../../mod.ts";

export default class Net extends Linear {
  constructor(size: number) {
    if (size === undefined) throw new TypeError("size is missing");
    super(size, size);
  }
}
