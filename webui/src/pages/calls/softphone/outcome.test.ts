import { expect, it } from "vitest";
import type { Failure } from "./engine";
import { detailOf, outcomeOf, reasonOf, signInFault, targetOf } from "./outcome";

const answered = (status: number, phrase = ""): Failure => ({ status, phrase, cause: "answer" });
const found = (cause: Failure["cause"]): Failure => ({ status: 0, phrase: "", cause });

it.each([
  [486, "busy"], [600, "busy"], [603, "declined"], [404, "nobody"], [480, "unreachable"], [408, "no_answer"], [403, "not_allowed"],
  [488, "no_media"], [484, "incomplete"], [500, "server"], [503, "server"], [420, "refused"],
])("an answer of %d is %s", (status, reason) => expect(reasonOf(answered(status))).toBe(reason));

it.each([["microphone", "microphone"], ["media", "no_media"], ["connection", "connection"], ["timeout", "no_answer"], ["other", "refused"]] as const)(
  "without an answer, %s is %s", (cause, reason) => expect(reasonOf(found(cause))).toBe(reason),
);

it("tells an answer in its own words, and nothing where none came", () => {
  expect([detailOf(answered(486, "Busy Here")), detailOf(answered(499)), detailOf(found("media"))]).toEqual(["486 Busy Here", "499", ""]);
});

it("an end is told by what it ended, and by whom", () => {
  expect(outcomeOf("talking", "here", undefined, 12)).toEqual({ ending: "hung_up", seconds: 12 });
  expect(outcomeOf("talking", "there", undefined, 12)).toEqual({ ending: "they_hung_up", seconds: 12 });
  expect(outcomeOf("ringing", "here", undefined, 0)).toEqual({ ending: "cancelled", seconds: 0 });
  expect(outcomeOf("called", "there", undefined, 0)).toEqual({ ending: "missed", seconds: 0 });
  expect(outcomeOf("called", "here", undefined, 0)).toEqual({ ending: "you_declined", seconds: 0 });
  expect(outcomeOf("dialling", "there", answered(404, "Not Found"), 0)).toEqual({ reason: "nobody", detail: "404 Not Found" });
});

it("a sign-in fails by the password, or by what a server thinks", () => {
  expect([401, 403, 404, 423, 500].map((status) => signInFault(answered(status)))).toEqual(["wrong_password", "wrong_password", "wrong_password", "not_let_in", "not_let_in"]);
});

it.each([
  ["3002", "3002"], [" +49 (30) 1234-56 ", "+4930123456"], ["*21#", "*21%23"], ["ada.l-1", "ada.l-1"], ["", undefined], ["a b", undefined],
  ["3002@evil.example", undefined], ["3002;phase=imsorig", undefined], ["3002\r\nRoute: x", undefined], ["ü", undefined], ["1".repeat(65), undefined],
])("%j is called as %s", (typed, target) => expect(targetOf(typed)).toBe(target));
