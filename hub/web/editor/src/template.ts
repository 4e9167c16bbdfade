// Texts with places, and the values that can stand in them. How a place is filled is known by the server alone; here a
// text is only cut into its parts, and a value into paths that the template language reads.
import { literal } from "./json.ts";
import type { Json } from "./model.ts";

export type Part = { kind: "text"; text: string } | { kind: "place"; text: string; path: string; filters: string };
export type Leaf = { path: string; label: string; value: string; title: string; inner: boolean };

// A place ends at the first `}}` outside of quotes; one that does not end is text.
const PLACE = /\{\{((?:"[^"]*"|'[^']*'|(?!\}\}|\{\{)[^"'])*)\}\}/g;
const WORD = /^[\p{L}_][\p{L}\p{N}_-]*$/u;
const MAX_LEAVES = 2_000;
const MAX_SHOWN = 120;

export function parts(text: string): Part[] {
  const found: Part[] = [];
  let from = 0;
  for (const match of text.matchAll(PLACE)) {
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    const inner = match[1]!;
    const bar = inner.search(/\|(?=(?:[^"']|"[^"]*"|'[^']*')*$)/);
    const path = (bar < 0 ? inner : inner.slice(0, bar)).trim();
    found.push({ kind: "place", text: match[0], path, filters: bar < 0 ? "" : inner.slice(bar + 1).trim() });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}

/** `payment.products[0].name` → `payment · products · 1 · name`: an index counts from one, as people do. */
export function spoken(path: string): string {
  const steps = [...path.matchAll(/\[(-?\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)];
  return steps.map(([, index, quoted, word]) => (index ? nth(Number(index)) : (quoted ?? word ?? ""))).join(" · ");
}

function nth(index: number): string {
  return index < 0 ? String(index) : `№ ${index + 1}`;
}

export function step(path: string, name: string | number): string {
  if (typeof name === "number") return `${path}[${name}]`;
  if (!WORD.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path ? `${path}.${name}` : name;
}

/** Every value of a tree with its path; lists and objects too, before what is in them. */
export function leaves(tree: Json, title: (path: string) => string = spoken): Leaf[] {
  const found: Leaf[] = [];
  const walk = (value: Json, path: string): void => {
    if (found.length >= MAX_LEAVES) return;
    const inner = value !== null && typeof value === "object" && literal(value) === null;
    if (path) found.push({ path, label: title(path), value: inner ? outline(value) : shown(value), title: path, inner });
    if (!inner) return;
    if (Array.isArray(value)) value.forEach((one, at) => walk(one, step(path, at)));
    else for (const [name, one] of Object.entries(value as Record<string, Json>)) walk(one, step(path, name));
  };
  walk(tree, "");
  return found;
}

/** A list by its length, an object by its sign: what is in them stands below them. */
function outline(value: Json): string {
  return Array.isArray(value) ? `[${value.length}]` : "{…}";
}

export function shown(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : (literal(value) ?? JSON.stringify(value));
  return text.length > MAX_SHOWN ? text.slice(0, MAX_SHOWN - 1) + "…" : text;
}

/** Those that a search finds by name, by path or by value; better places first. */
export function matching(all: Leaf[], wanted: string): Leaf[] {
  const words = wanted.toLocaleLowerCase().trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return all;
  const rank = (leaf: Leaf): number => {
    const name = leaf.label.toLocaleLowerCase();
    const path = leaf.path.toLocaleLowerCase();
    const value = leaf.inner ? "" : leaf.value.toLocaleLowerCase();
    if (!words.every((word) => name.includes(word) || path.includes(word) || value.includes(word))) return -1;
    return (name.startsWith(words[0]!) ? 4 : 0) + (value.startsWith(words[0]!) ? 2 : 0) + (leaf.inner ? 0 : 1);
  };
  return all
    .map((leaf) => ({ leaf, rank: rank(leaf) }))
    .filter((one) => one.rank >= 0)
    .sort((a, b) => b.rank - a.rank)
    .map((one) => one.leaf);
}

const BAR = /\|(?=(?:[^"']|"[^"]*"|'[^']*')*$)/;
const DEFAULT = /^default\s*:\s*(?:"([^"]*)"|'([^']*)')$/;

/** The filters of a place taken apart: the text that stands for an empty value, and all others as they are written. */
export function defaultOf(filters: string): { text: string | null; others: string } {
  const all = filters === "" ? [] : filters.split(BAR).map((one) => one.trim());
  const found = all.map((one) => DEFAULT.exec(one)).find((one) => one !== null);
  return { text: found ? (found[1] ?? found[2] ?? "") : null, others: all.filter((one) => !DEFAULT.test(one)).join(" | ") };
}

/** Filters with a text for an empty value, which stands last: a missing value passes all other filters. */
export function withDefault(others: string, text: string): string {
  const quote = text.includes("'") ? '"' : "'";
  const written = text === "" ? "" : `default: ${quote}${text.replaceAll(quote, "’").replace(/[{}]{2}/g, "")}${quote}`;
  return [others, written].filter(Boolean).join(" | ");
}

export function placeOf(path: string, filters: string): string {
  return filters ? `{{${path} | ${filters}}}` : `{{${path}}}`;
}

/** A text with its nth place written anew. */
export function withPlace(text: string, nth: number, written: string): string {
  let at = -1;
  return parts(text).map((part) => (part.kind === "place" && ++at === nth ? written : part.text)).join("");
}
