import assert from "node:assert/strict";
import test from "node:test";
import { begin, commit, redo, undo } from "../src/history.ts";
import { arrange } from "../src/layout.ts";
import { change, connect, copy, freeId, insert, paste, place, remove, renamePort, type Doc } from "../src/model.ts";
import { defaultOf, leaves, matching, parts, placeOf, spoken, withDefault, withPlace } from "../src/template.ts";

const link = (from: string, to: string, port = "next") => ({ from, port, to });
const chain = (...ids: string[]): Doc => ({
  format: 1,
  name: "Orders",
  blocks: ids.map((id, at) => ({ id, type: at === 0 ? "incoming_webhook" : "send_message" })),
  links: ids.slice(1).map((id, at) => link(ids[at]!, id)),
});

test("a block that is inserted on a link leads on to where the link led", () => {
  const made = insert(chain("start", "greet"), { id: "wait", type: "pause" }, { from: "start", port: "next" }, "next");
  assert.deepEqual(made.links, [link("start", "wait"), link("wait", "greet")]);
});

test("a block without exits ends the way that it is put on", () => {
  const made = insert(chain("start", "greet"), { id: "end", type: "stop" }, { from: "start", port: "next" }, null);
  assert.deepEqual(made.links, [link("start", "end")]);
});

test("taking away several blocks in a row closes the gap", () => {
  assert.deepEqual(remove(chain("start", "a", "b", "c"), ["a", "b"]).links, [link("start", "c")]);
});

test("taking away a whole loop ends", () => {
  const doc = { ...chain("start", "a", "b"), links: [link("start", "a"), link("a", "b"), link("b", "a")] };
  assert.deepEqual(remove(doc, ["a", "b"]).links, []);
});

test("a port leads to one block, and never to its own", () => {
  const doc = chain("start", "a", "b");
  assert.deepEqual(connect(doc, { from: "start", port: "next" }, "b").links, [link("a", "b"), link("start", "b")]);
  assert.equal(connect(doc, { from: "a", port: "next" }, "a"), doc);
});

test("a renamed exit keeps its link", () => {
  const doc = { ...chain("start", "a"), links: [link("start", "a", "rich")] };
  assert.deepEqual(renamePort(doc, "start", "rich", "vip").links, [link("start", "a", "vip")]);
});

test("pasted blocks have ids of their own, also where their texts name each other", () => {
  const doc = chain("start", "message", "other");
  const written = change(doc, "other", { config: { text: "{{blocks.message.status}} {{blocks.start.x}}" } });
  const made = paste(written, copy(written, ["start", "message", "other"]), (type) => type === "incoming_webhook");
  assert.deepEqual(made.ids, ["message_2", "message_3"]);
  assert.equal(made.doc.blocks.at(-1)?.config?.["text"], "{{blocks.message_2.status}} {{blocks.start.x}}");
  assert.deepEqual(made.doc.links.at(-1), link("message_2", "message_3"));
});

test("an id is never given twice", () => {
  assert.equal(freeId(chain("start", "message", "message_2"), "send_message"), "message_3");
});

test("undo and redo go through every step, and typing in one field is one step", () => {
  const doc = chain("start", "a");
  let history = begin(doc);
  for (const [at, text] of ["П", "Пр", "При"].entries()) {
    history = commit(history, change(history.present, "a", { config: { text } }), 100 * at, "a.text");
  }
  history = commit(history, remove(history.present, ["a"]), 5_000);
  assert.equal(history.past.length, 2);
  const back = undo(undo(history));
  assert.deepEqual(back.present, doc);
  assert.deepEqual(redo(redo(back)).present, history.present);
});

test("a document that was only moved and moved back is the same text", () => {
  const doc = chain("start", "a");
  const moved = place(doc, { a: { x: 10.4, y: 20.6 } });
  assert.deepEqual(moved.blocks[1]?.position, { x: 10, y: 21 });
  assert.equal(JSON.stringify(place(moved, { a: undefined })), JSON.stringify(doc));
});

test("blocks stand one below the other, and a new one among placed ones does not cover another", () => {
  const at = arrange(chain("start", "a", "b"), () => ["next"]);
  assert.ok(at.get("start")!.y < at.get("a")!.y && at.get("a")!.y < at.get("b")!.y);
  const placed = place(chain("start", "a", "b"), { start: { x: 0, y: 0 }, a: { x: 0, y: 160 } });
  const fresh = { ...placed, links: [link("start", "a"), link("start", "b", "error")] };
  const places = arrange(fresh, () => ["next", "error"]);
  assert.notDeepEqual(places.get("b"), places.get("a"));
});

test("a text is cut into words and places, and put together it is the same", () => {
  const text = "Да {{ name | default: 'a}}b' }} и {{x[0].y}}, {{ и {% z %}";
  const found = parts(text);
  assert.equal(found.map((part) => part.text).join(""), text);
  assert.deepEqual(found.filter((part) => part.kind === "place").map((part) => part.path), ["name", "x[0].y"]);
});

test("values are found by what they are, with a path that the templates read", () => {
  const all = leaves({ payment: [{ name: "Вася", "any key": 1 }] });
  assert.equal(matching(all, "вас")[0]?.path, "payment[0].name");
  assert.equal(matching(all, "any")[0]?.path, 'payment[0]["any key"]');
  assert.equal(spoken("payment[0].name"), "payment · № 1 · name");
});

test("a place gets a text for an empty value, keeps its other filters, and can be read again", () => {
  assert.deepEqual(defaultOf("default: 'а | б' | money"), { text: "а | б", others: "money" });
  assert.deepEqual(defaultOf("join: ', ' | upper"), { text: null, others: "join: ', ' | upper" });
  const written = placeOf("name", withDefault("upper", "д'Артаньян"));
  assert.equal(written, `{{name | upper | default: "д'Артаньян"}}`);
  const [place] = parts(written);
  assert.ok(place?.kind === "place");
  assert.deepEqual(defaultOf(place.filters), { text: "д'Артаньян", others: "upper" });
  assert.equal(placeOf("name", withDefault("", "")), "{{name}}");
  assert.equal(withPlace("{{a}} и {{b}}", 1, "{{b | upper}}"), "{{a}} и {{b | upper}}");
  assert.equal(withPlace("{{a}} и {{b}}", 0, ""), " и {{b}}");
});
