// SPDX-License-Identifier: Apache-2.0
// A page of another origin in the same browser as a logged-in administrator: it changes nothing, reads nothing, frames
// nothing. Once from another site (the cookie stays at home), once from another port of the same host: to a browser
// that is the same site, the cookie goes along, and only the appliance's own checks stand.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { windowOf } from "../harness/accounts.mjs";
import { nothingWrong, origin, settled } from "../harness/browser.mjs";
import { api } from "../harness/wire.mjs";

const page = `<!doctype html><meta charset=utf-8><title>prizes</title><h1>You have won</h1>
<form id=f target=sink method=post enctype="text/plain" action="${origin}/api/v1/admins">
<input name='{"name":"forged-form","role":"admin","password":"forged password 0","x":"' value='"}'></form>
<form id=g target=sink method=post action="${origin}/api/v1/vms/sm/actions/stop"><input name=a value=b></form>
<iframe name=sink></iframe><iframe id=frame src="${origin}/"></iframe>
<img id=img src="${origin}/api/v1/vms">
<script>
window.seen = [];
const body = JSON.stringify({ name: "forged-fetch", role: "admin", password: "forged password 0" });
const url = "${origin}/api/v1/admins";
window.attack = async () => {
  document.getElementById("f").submit();
  await new Promise((r) => setTimeout(r, 300));
  document.getElementById("g").submit();
  await new Promise((r) => setTimeout(r, 300));
  const tries = [
    () => fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body }),
    () => fetch(url, { method: "POST", credentials: "include", body, headers: { "Content-Type": "application/json" } }),
    () => fetch(url, { method: "POST", credentials: "include", body: new Blob([body], { type: "text/plain" }) }),
    () => fetch("${origin}/api/v1/vms/sm/actions/stop", { method: "POST", mode: "no-cors", credentials: "include" }),
    () => fetch("${origin}/api/v1/session", { method: "DELETE", credentials: "include" }),
    () => fetch("${origin}/api/v1/uc/users", { credentials: "include" }).then((r) => r.text()).then((t) => window.seen.push(t)),
    () => fetch("${origin}/api/v1/session", { credentials: "include" }).then((r) => r.text()).then((t) => window.seen.push(t)),
  ];
  for (const one of tries) await one().catch(() => undefined);
  navigator.sendBeacon(url, body);
  await new Promise((done) => {
    const stream = new EventSource("${origin}/api/v1/events/stream", { withCredentials: true });
    stream.onopen = () => { window.seen.push("the stream opened"); done(); };
    stream.onerror = () => { stream.close(); done(); };
    setTimeout(done, 2000);
  });
};
</script>`;

function serve() {
  const answer = (_, reply) => reply.writeHead(200, { "Content-Type": "text/html" }).end(page);
  const pki = "/var/lib/aurabox/pki";
  const secure = https.createServer({ cert: readFileSync(`${pki}/auraboxd.pem`), key: readFileSync(`${pki}/auraboxd-key.pem`) }, answer);
  const plain = http.createServer(answer);
  secure.listen(9443, "127.0.0.1");
  plain.listen(9080, "127.0.0.1");
  return () => [secure, plain].forEach((each) => { each.closeAllConnections(); each.close(); });
}

async function foreign_pages_get_nowhere({ browser }) {
  const w = await windowOf(browser, "admin", "/machines");
  const stop = serve();
  const before = (await api("GET", "/admins?limit=500")).items.map((each) => each.name).sort();
  const tasks = (await api("GET", "/tasks?limit=1")).items[0].id;
  let cookies = 0;
  for (const from of ["https://127.0.0.1:9443/", "http://localhost:9080/"]) {
    const evil = await w.context.newPage();
    const answers = [];
    evil.on("response", async (response) => {
      if (!response.url().startsWith(`${origin}/api/`)) return;
      const sent = await response.request().allHeaders().catch(() => ({}));
      if (/__Host-aurabox/.test(sent.cookie ?? "")) cookies++;
      answers.push({ method: response.request().method(), path: new URL(response.url()).pathname, status: response.status() });
    });
    await evil.goto(from);
    await evil.evaluate(() => window.attack());
    await evil.waitForTimeout(500);
    assert.deepEqual(await evil.evaluate(() => window.seen), [], "nothing is read");
    console.log(`    from ${from}: ${answers.map((each) => `${each.method} ${each.status}`).join(", ")}`);
    assert.ok(answers.filter((each) => each.method === "POST").length >= 2, "the forms arrived");
    for (const each of answers.filter((one) => one.method !== "GET")) {
      assert.ok(each.status >= 400, `${from} ${JSON.stringify(each)}`);
    }
    const framed = evil.frames().find((frame) => frame.url().startsWith(`${origin}/`) && frame.name() !== "sink");
    assert.equal(framed, undefined, "the console is not shown in a frame");
    // A window that is opened knows nothing of its opener, nor the opener of it.
    const [opened] = await Promise.all([w.context.waitForEvent("page"), evil.evaluate((to) => { window.popup = window.open(to); }, `${origin}/machines`)]);
    await opened.locator("h1").waitFor();
    assert.equal(await opened.evaluate(() => window.opener), null);
    assert.equal(await evil.evaluate(() => window.popup.closed), true, "the opener sees it as closed");
    await opened.close();
    await evil.close();
  }
  stop();
  assert.ok(cookies > 0, "from the same site the cookie did go along");
  assert.deepEqual((await api("GET", "/admins?limit=500")).items.map((each) => each.name).sort(), before);
  assert.equal((await api("GET", "/tasks?limit=1")).items[0].id, tasks, "no task was begun");
  await w.page.reload();
  await settled(w);
  assert.equal(new URL(w.page.url()).pathname, "/machines", "the session goes on");
  assert.equal(await w.page.locator("[name=password]").count(), 0);
  await nothingWrong(w);
}

export const steps = [foreign_pages_get_nowhere];
