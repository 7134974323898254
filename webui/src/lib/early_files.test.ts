import { expect, it } from "vitest";
import { earlyTags } from "../../scripts/early_files";

it("names the frame's code, whatever it is called this time", () => {
  const tags = earlyTags(["assets/index-A1.js", "assets/frame-x_-9.js", "assets/frame-x_-9.css", "assets/Frame-C3.js"]);
  expect(tags.map(({ attrs }) => attrs?.href)).toEqual(["/assets/frame-x_-9.js"]);
});

it("names no file that is not there", () => {
  expect(earlyTags(["assets/index-A1.js"])).toEqual([]);
});
