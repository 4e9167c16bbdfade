import assert from "node:assert/strict";
import test from "node:test";
import { fieldTitles } from "../src/trace.ts";
import type { Input } from "../src/types.ts";

const read = (...templates: string[]): Input[] => templates.map((template) => ({ template, value: "", places: [] }));
const schema = { properties: { chat_id: { title: "ChatID" }, text: { title: "Text" }, fields: { title: "Fields" } } };

test("what a block read is called by the field it stands in", () => {
  const config = { chat_id: "{{id}}", text: "Order {{id}}", fields: { TITLE: "{{id}}" } };
  assert.deepEqual(fieldTitles(read("{{id}}", "Order {{id}}", "{{id}}"), config, schema), ["ChatID", "Text", "Fields"]);
});

test("a text that stands nowhere any more has no name", () => {
  assert.deepEqual(fieldTitles(read("before"), { text: "after" }, schema), [""]);
});

test("a long text is known by its beginning", () => {
  const long = "a".repeat(3000);
  assert.deepEqual(fieldTitles(read(long.slice(0, 2000)), { chat_id: "a", text: long }, schema), ["Text"]);
});
