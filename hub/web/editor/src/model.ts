// The drawing of a scenario as a value, and everything that can be done to it. Nothing here knows a browser; every
// function gives a new document and leaves the old one alone, so that undo is a list of documents.
import { literal, readTyped } from "./json.ts";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Config = Record<string, Json>;
export type Position = { x: number; y: number };
export type Block = {
  id: string;
  type: string;
  version?: number;
  title?: string;
  note?: string;
  position?: Position;
  config?: Config;
};
export type Link = { from: string; port: string; to: string };
export type Variable = { name: string; type?: string; default?: Json };
export type Doc = { format: 1; name: string; variables?: Variable[]; blocks: Block[]; links: Link[] };
export type Place = { from: string; port: string };
export type Fragment = { hubline: 1; blocks: Block[]; links: Link[] };

const STEMS: Record<string, string> = {
  incoming_webhook: "start",
  bitrix24_event: "start",
  bitrix24_robot: "start",
  incoming_message: "start",
  send_message: "message",
  set_variable: "variable",
  http_request: "http",
  bitrix24_read: "read",
  bitrix24_write: "write",
  return_result: "result",
  call_scenario: "call",
  for_each: "each",
};

export function blockOf(doc: Doc, id: string): Block | undefined {
  return doc.blocks.find((block) => block.id === id);
}

export function linkAt(doc: Doc, place: Place): Link | undefined {
  return doc.links.find((link) => link.from === place.from && link.port === place.port);
}

/** An id that no block of the document has: `message`, then `message_2`. */
export function freeId(doc: Doc, type: string, taken: Iterable<string> = []): string {
  const used = new Set([...doc.blocks.map((block) => block.id), ...taken]);
  const stem = STEMS[type] ?? type;
  for (let n = 1; ; n++) {
    const id = n === 1 ? stem : `${stem}_${n}`;
    if (!used.has(id)) return id;
  }
}

/** A block behind a port. What the port led to then hangs on the new block's `exit`, if it has one. */
export function insert(doc: Doc, block: Block, after: Place | null, exit: string | null): Doc {
  const blocks = [...doc.blocks, block];
  if (!after) return { ...doc, blocks };
  const old = linkAt(doc, after);
  const links = doc.links.flatMap((link) => {
    if (link !== old) return [link];
    const first = { ...link, to: block.id };
    return exit === null ? [first] : [first, { from: block.id, port: exit, to: link.to }];
  });
  if (!old) links.push({ ...after, to: block.id });
  return { ...doc, blocks, links };
}

/** Lead a port to a block; a port leads to one block only. `to: null` takes the link away. */
export function connect(doc: Doc, place: Place, to: string | null): Doc {
  if (to === place.from) return doc;
  const old = linkAt(doc, place);
  if (old ? old.to === to : to === null) return doc;
  const others = doc.links.filter((link) => link !== old);
  return { ...doc, links: to === null ? others : [...others, { ...place, to }] };
}

/** Take blocks away and close the gaps: what led to one leads to where its way went on. */
export function remove(doc: Doc, ids: Iterable<string>): Doc {
  const gone = new Set(ids);
  const onward = (id: string, seen: Set<string>): string | null => {
    if (!gone.has(id)) return id;
    if (seen.has(id)) return null;
    seen.add(id);
    const exits = doc.links.filter((link) => link.from === id);
    const way = exits.find((link) => link.port === "next") ?? (exits.length === 1 ? exits[0] : undefined);
    return way ? onward(way.to, seen) : null;
  };
  const links = doc.links.flatMap((link) => {
    if (gone.has(link.from)) return [];
    const to = onward(link.to, new Set());
    return to === null || to === link.from ? [] : [to === link.to ? link : { ...link, to }];
  });
  return { ...doc, blocks: doc.blocks.filter((block) => !gone.has(block.id)), links };
}

/** Change one block; keys whose value is undefined or empty are left out, as the stored document leaves them out. */
export function change(doc: Doc, id: string, changes: Partial<Omit<Block, "id" | "type">>): Doc {
  const blocks = doc.blocks.map((block) => (block.id === id ? tidied({ ...block, ...changes }) : block));
  return { ...doc, blocks };
}

export function renamePort(doc: Doc, id: string, from: string, to: string): Doc {
  if (from === to || linkAt(doc, { from: id, port: to })) return doc;
  return { ...doc, links: doc.links.map((l) => (l.from === id && l.port === from ? { ...l, port: to } : l)) };
}

export function place(doc: Doc, positions: Record<string, Position | undefined>): Doc {
  const blocks = doc.blocks.map((block) => {
    if (!(block.id in positions)) return block;
    const at = positions[block.id];
    return tidied({ ...block, position: at && { x: Math.round(at.x), y: Math.round(at.y) } });
  });
  return { ...doc, blocks };
}

/** Blocks that lie behind a block, on every way that leads to it. */
export function before(doc: Doc, id: string): Set<string> {
  const found = new Set<string>();
  const look = [id];
  for (let at = look.pop(); at !== undefined; at = look.pop()) {
    for (const link of doc.links) {
      if (link.to === at && !found.has(link.from)) {
        found.add(link.from);
        look.push(link.from);
      }
    }
  }
  return found;
}

export function copy(doc: Doc, ids: Iterable<string>): Fragment {
  const chosen = new Set(ids);
  return {
    hubline: 1,
    blocks: doc.blocks.filter((block) => chosen.has(block.id)),
    links: doc.links.filter((link) => chosen.has(link.from) && chosen.has(link.to)),
  };
}

/** Put copied blocks in: with ids of their own, also where their templates name each other's results. */
export function paste(doc: Doc, fragment: Fragment, starts: (type: string) => boolean): { doc: Doc; ids: string[] } {
  const hasStart = doc.blocks.some((block) => starts(block.type));
  const wanted = fragment.blocks.filter((block) => !(hasStart && starts(block.type)));
  const ids = new Map<string, string>();
  for (const block of wanted) ids.set(block.id, freeId(doc, block.type, ids.values()));
  const pasted = wanted.map((block) => {
    const { position, ...rest } = block;
    const moved = position && { position: { x: position.x + 40, y: position.y + 40 } };
    const config = block.config && { config: renamed(block.config, ids) as Config };
    return { ...rest, ...moved, ...config, id: ids.get(block.id)! };
  });
  const links = fragment.links.flatMap((link) => {
    const from = ids.get(link.from);
    const to = ids.get(link.to);
    return from !== undefined && to !== undefined ? [{ ...link, from, to }] : [];
  });
  return {
    doc: { ...doc, blocks: [...doc.blocks, ...pasted], links: [...doc.links, ...links] },
    ids: [...ids.values()],
  };
}

export function readFragment(text: string): Fragment | null {
  if (!text.startsWith('{"hubline":1,')) return null;
  const found = readTyped(text) as Fragment | undefined; // somebody's text may only begin like ours
  return found && Array.isArray(found.blocks) && Array.isArray(found.links) ? found : null;
}

function renamed(value: Json, ids: Map<string, string>): Json {
  if (typeof value === "string") {
    return value.replace(/\bblocks\.([\p{L}_][\p{L}\p{N}_-]*)/gu, (all, id: string) =>
      ids.has(id) ? `blocks.${ids.get(id)}` : all,
    );
  }
  if (Array.isArray(value)) return value.map((one) => renamed(one, ids));
  if (value === null || typeof value !== "object" || literal(value) !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, renamed(one, ids)]));
}

function tidied(block: Block): Block {
  const kept = Object.entries(block).filter(([name, value]) => {
    if (value === undefined || value === "") return false;
    if (name === "config") return Object.keys(value as Config).length > 0;
    return !(name === "version" && value === 1);
  });
  return Object.fromEntries(kept) as Block;
}
