// SPDX-License-Identifier: Apache-2.0
// The API and the served files without a browser: over the unix socket as administrator, and over TLS.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

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

/** As root over the local socket; throws what the API refuses. */
export async function api(method, path, value) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const headers = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const answer = await send(http, { socketPath: "/run/aurabox/api.sock", method, path: `/api/v1${path}`, headers }, body);
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.bytes.length > 0 ? JSON.parse(answer.text) : undefined;
}

/** Over TLS, the certificate checked against the box's own CA. */
export async function get(path, headers = {}) {
  const ca = readFileSync("/var/lib/aurabox/pki/ca.pem");
  return send(https, { host: "127.0.0.1", port: 8443, path, headers, ca, servername: "localhost" });
}
