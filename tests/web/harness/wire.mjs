// SPDX-License-Identifier: Apache-2.0
// The API and the served files without a browser: over the unix socket as administrator, and over TLS.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

/** Where the daemon keeps its files: the root of the host, or a folder of the test's own. */
const root = process.env.AURA_ROOT ?? "";

function send(module, options, body) {
  return new Promise((resolve, reject) => {
    const request = module.request(options, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => {
        const bytes = Buffer.concat(parts);
        resolve({ status: answer.statusCode, headers: answer.headers, bytes, text: bytes.toString() });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function local(method, path, value, more) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const length = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const options = { socketPath: `${root}/run/aurabox/api.sock`, method, path: `/api/v1${path}`, headers: { ...length, ...more } };
  const answer = await send(http, options, body);
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer;
}

/** As root over the local socket, a change with the ETag of what is there; throws what the API refuses. */
export async function api(method, path, value) {
  const match = method === "PATCH" ? { "If-Match": (await local("GET", path)).headers.etag } : {};
  const answer = await local(method, path, value, match);
  return answer.bytes.length > 0 ? JSON.parse(answer.text) : undefined;
}

/** A figure of /metrics. */
export async function metric(name) {
  const answer = await send(http, { socketPath: `${root}/run/aurabox/api.sock`, method: "GET", path: "/metrics" });
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(answer.text)?.[1]);
}

/** Over TLS, the certificate checked against the box's own CA. */
export async function get(path, headers = {}) {
  const ca = readFileSync(`${root}/var/lib/aurabox/pki/ca.pem`);
  return send(https, { host: "127.0.0.1", port: 8443, path, headers, ca, servername: "localhost" });
}
