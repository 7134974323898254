// SPDX-License-Identifier: Apache-2.0
// What cannot be done from inside a browser: stage.py does it when asked.
import { createInterface } from "node:readline";

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** host("users", { first, count }) runs Stage.wish_users and gives what it returns. */
export async function host(what, more = {}) {
  console.log(`@${JSON.stringify({ do: what, ...more })}`);
  const { value, done } = await answers.next();
  if (done) throw new Error(`the host ended while asked for ${what}`);
  return JSON.parse(value).done;
}

/** A phone's step: phones({ do: "dial", caller, callee }). */
export async function phones(command) {
  console.log(`@${JSON.stringify({ do: "phones", command })}`);
  const { value } = await answers.next();
  return JSON.parse(value).done;
}
