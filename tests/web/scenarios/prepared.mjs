// SPDX-License-Identifier: Apache-2.0
// Not a test of its own: fills the appliance as one that has been in use, for the scenarios after it.
import assert from "node:assert/strict";
import { makeAdmin, takeOver } from "../harness/accounts.mjs";
import { phones } from "../harness/host.mjs";
import { api } from "../harness/wire.mjs";

async function people_and_records({ host }) {
  await takeOver();
  await api("POST", "/uc/users", { handle: "3201", name: "Ada Lovelace", password: "phone-3201-secret", station: { extension: "3201" } });
  await api("POST", "/uc/users", { handle: "3202", name: "Alexander Graham Bell", password: "phone-3202-secret", station: { extension: "3202" } });
  assert.ok((await host("users", { first: 40000, count: 5000 })) >= 5002);
  assert.equal(await host("records", { count: 300 }), 300);
}

async function one_real_call() {
  for (const [handle, tone] of [["3201", 440], ["3202", 880]]) {
    await phones({ do: "register", handle, password: `phone-${handle}-secret`, tone });
  }
  await phones({ do: "dial", caller: "3201", callee: "3202" });
  await phones({ do: "hang-up", handle: "3201" });
}

async function others_who_may_less() {
  await makeAdmin("audrey", "auditor");
  await makeAdmin("tess", "telephony");
  await makeAdmin("oscar", "operator");
  await makeAdmin("berta", "admin");
}

export const steps = [people_and_records, one_real_call, others_who_may_less];
