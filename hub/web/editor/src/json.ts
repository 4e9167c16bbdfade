// JSON that keeps numbers as they were written: 12345678901234567890 and 1.50 stay what they are in a document that a
// browser only passes on. Browsers that do not know `JSON.rawJSON` yet get it here.
import "core-js/es/json/raw-json.js";
import "core-js/es/json/is-raw-json.js";
import "core-js/es/json/parse.js";
import "core-js/es/json/stringify.js";

type Revive = (name: string, value: unknown, context: { source?: string }) => unknown;
const json = JSON as unknown as {
  parse: (text: string, revive: Revive) => unknown;
  rawJSON: (text: string) => { rawJSON: string };
  isRawJSON: (value: unknown) => value is { rawJSON: string };
};

/** Read JSON; a number that would be written otherwise than it stands there becomes a frozen object with its text. */
export function readJson(text: string): unknown {
  return json.parse(text, (_name, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source ? json.rawJSON(source) : value,
  );
}

/** The same of a text that somebody is typing: undefined while it is no JSON yet. */
export function readTyped(text: string): unknown {
  try {
    return readJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** The text of a number as it was written; null for every other value. */
export function literal(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return json.isRawJSON(value) ? value.rawJSON : null;
}

/** Whether two values say the same, in whatever order their names stand. */
export function isSame(one: unknown, other: unknown): boolean {
  const number = literal(one);
  if (number !== null) return number === literal(other);
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return one === other;
  const parts = Object.entries(one);
  if (Array.isArray(one) !== Array.isArray(other) || parts.length !== Object.keys(other).length) return false;
  return parts.every(([name, part]) => Object.hasOwn(other, name) && isSame(part, (other as Record<string, unknown>)[name]));
}
