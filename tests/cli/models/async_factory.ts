import { Linear, Sequential } from "../../../mod.ts";

export default async function make(): Promise<Sequential> {
  await Promise.resolve();
  return new Sequential({ linear1: new Linear(12, 6), linear2: new Linear(6, 2) });
}
