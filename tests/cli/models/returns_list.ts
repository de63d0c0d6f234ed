export default function make(): readonly number[] {
  return [1, 2];
}
