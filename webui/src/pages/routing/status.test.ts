import { expect, it } from "vitest";
import { stateTone, STATES, statusOf } from "./status";

it("statusOf reads what sm says of an entity and its links", () => {
  const status = statusOf({
    status: {
      link: "partially_up", reason: "1 of 2 links is down", changed_at: "2026-11-21T10:00:00Z", checked_at: null, last_answer: "200 OK", calls: 3,
      links: [{ transport: "udp", port: 5060, link: "down", reason: "no answer" }, { transport: "tcp", port: 5060, link: "up", reason: "" }],
      registration: { state: "registered", reason: "", expires_at: null },
    },
  });
  expect([status.state, status.since, status.calls, status.links.map((link) => link.state), status.registration?.state]).toEqual([
    "partially_up", "2026-11-21T10:00:00Z", 3, ["down", "up"], "registered",
  ]);
});

it("statusOf knows nothing when sm says nothing, or something new", () => {
  expect([statusOf({}).state, statusOf({ status: null }).links, statusOf({ status: { link: "asleep" } }).state]).toEqual(["unknown", [], "unknown"]);
});

it("every state has a look, and only those that carry calls look good", () => {
  expect(STATES.filter((state) => stateTone(state) === "good")).toEqual(["up"]);
});
