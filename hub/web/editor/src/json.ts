// JSON that keeps numbers as they were written: 12345678901234567890 and 1.50 stay what they are in a document that a
// browser only passes on. Needs the source text in the reviver (all current browsers); others read plain numbers.
type Raw = { rawJSON: (text: string) => unknown; isRawJSON: (value: unknown) => boolean };
const raw = JSON as unknown as Partial<Raw>;

export function readJson(text: string): unknown {
  const keep = raw.rawJSON;
  if (!keep) return JSON.parse(text);
  const revive = (_name: string, value: unknown, context?: { source?: string }) =>
    typeof value === "number" && context?.source !== undefined && String(value) !== context.source
      ? keep.call(JSON, context.source)
      : value;
  return JSON.parse(text, revive as (name: string, value: unknown) => unknown);
}

/** The text of a number that was kept as written; null for every other value. */
export function literal(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return raw.isRawJSON?.(value) ? (value as { rawJSON: string }).rawJSON : null;
}
