export default function make(): never {
  throw new RangeError("no such size");
}
