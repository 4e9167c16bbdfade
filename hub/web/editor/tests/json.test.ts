import assert from "node:assert/strict";
import test from "node:test";
import { isSame, literal, readJson, readTyped } from "../src/json.ts";
import { change, copy, paste, readFragment, type Doc, type Json } from "../src/model.ts";

const NUMBERS = ["1.10", "12345678901234567890", "1e5", "-0", "150000.00", "0.1", "7"];

test("every number is written again as it was read, whatever stands around it", () => {
  const text = `{"numbers":[${NUMBERS.join(",")}],"text":"1.10","__proto__":{"price":1.10}}`;
  const read = readJson(text);
  assert.equal(JSON.stringify(read), text);
  assert.deepEqual((read as { numbers: Json[] }).numbers.map(literal), NUMBERS);
});

test("a text that is no JSON yet is no value, and a text is no number", () => {
  assert.equal(readTyped('{"a": 1.'), undefined);
  assert.equal(readTyped("null"), null);
  assert.equal(literal("1.10"), null);
  assert.equal(literal({ rawJSON: "1.10" }), null);
});

test("numbers go through changing, copying and pasting blocks as they stand in the document", () => {
  const value = '{"price":1.10,"id":12345678901234567890}';
  const text = `{"format":1,"name":"Orders","blocks":[{"id":"variable","type":"set_variable","config":{"variables":[{"name":"n","value":${value}}]}}],"links":[]}`;
  const doc = readJson(text) as Doc;
  assert.equal(JSON.stringify(doc), text);
  const renamed = change(doc, "variable", { title: "Prices" });
  const fragment = readFragment(JSON.stringify(copy(renamed, ["variable"])));
  assert.ok(fragment);
  const made = paste(renamed, fragment, () => false).doc;
  assert.equal(JSON.stringify(made.blocks[1]?.config), `{"variables":[{"name":"n","value":${value}}]}`);
  assert.equal(readFragment('{"hubline":1, no'), null);
  assert.equal(readFragment('{"hubline":1,}'), null);
});

test("two values say the same in whatever order their names stand, and numbers by how they are written", () => {
  const one = readJson('{"a":[1.10,null,{"b":"x"}],"c":1}');
  assert.ok(isSame(one, readJson('{"c":1,"a":[1.10,null,{"b":"x"}]}')));
  for (const other of ['{"a":[1.1,null,{"b":"x"}],"c":1}', '{"a":[1.10,null,{"b":"y"}],"c":1}', '{"a":[1.10,null,{"b":"x"}]}', "[]", "null"]) {
    assert.ok(!isSame(one, readJson(other)), other);
  }
});
