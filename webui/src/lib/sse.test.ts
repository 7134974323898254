import { describe, expect, it } from "vitest";
import { SseParser } from "./sse";

describe("SseParser", () => {
  it("gives whole messages, however the text is cut", () => {
    const text = 'id: 7\nevent: vm.changed\ndata: {"a":\ndata: 1}\n\n: ping\n\nid: 8\ndata: x\r\n\r\n';
    const whole = new SseParser().feed(text);
    expect(whole).toEqual([
      { id: "7", event: "vm.changed", data: '{"a":\n1}' },
      { id: "8", event: "message", data: "x" },
    ]);
    const parser = new SseParser();
    // A CR LF that is cut in two counts as two ends: that costs an empty line, never a message.
    const single = Array.from(text.replaceAll("\r\n", "\n")).flatMap((letter) => parser.feed(letter));
    expect(single).toEqual(whole);
  });

  it("takes comments, unknown fields and empty messages for nothing", () => {
    expect(new SseParser().feed(": hello\nretry: 2000\n\nevent: x\n\n\n")).toEqual([]);
  });

  it("keeps the id of an earlier message", () => {
    const parser = new SseParser();
    parser.feed("id: 3\ndata: a\n\n");
    expect(parser.feed("data: b\n\n")[0]?.id).toBe("3");
  });
});
