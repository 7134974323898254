import { expect, it } from "vitest";
import { inlined } from "../../scripts/inline_runtime";

const runtime = "var e=(n)=>n+1,t=()=>0;export{t as i,e as r};";

it("a helper of the bundler stands where it is used", () => {
  const code = inlined('import{r as a}from"./rolldown-runtime-Ab_1-2.js";export const b=a(2);', runtime);
  expect(code).toBe("const a=(()=>{var e=(n)=>n+1,t=()=>0;return e})();export const b=a(2);");
});

it("what cannot be put in stays as it is", () => {
  for (const code of ["export const b=1;", 'import{r as a,i as c}from"./rolldown-runtime-Ab.js";', 'import{x as a}from"./rolldown-runtime-Ab.js";'])
    expect(inlined(code, runtime)).toBeUndefined();
});
