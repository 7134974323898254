import { describe, expect, it } from "vitest";
import { pages } from "../pages";
import { matchPath } from "./path";

describe("matchPath", () => {
  it("takes names out of a path, decoded", () => {
    expect(matchPath("/people/:handle", "/people/3001")).toEqual({ handle: "3001" });
    expect(matchPath("/people/:handle", "/people/J%C3%B6rg%20%26%20co")).toEqual({ handle: "Jörg & co" });
    expect(matchPath("/", "/")).toEqual({});
  });

  it("knows no other paths", () => {
    expect(matchPath("/people/:handle", "/people")).toBeUndefined();
    expect(matchPath("/people/:handle", "/people/")).toBeUndefined();
    expect(matchPath("/people/:handle", "/people/3001/calls")).toBeUndefined();
    expect(matchPath("/people/:handle", "/people/%E0%A4%A")).toBeUndefined();
    expect(matchPath("/people", "/calls")).toBeUndefined();
  });
});

describe("pages", () => {
  it("finds a fixed path before one with a name in it", () => {
    for (const path of ["/people/new", "/machines/catalogue"])
      expect(pages.find((page) => matchPath(page.path, path))?.path).toBe(path);
  });
});
