// A trace keeps the texts that a block read in their order; which field each stood in is found by the text itself.
import type { Json } from "./model.ts";
import type { Input, Schema } from "./types.ts";

/** A longer text is kept by its beginning. */
const KEPT = 2000;

/** For each text the title of its field, empty where the block has no such field now. */
export function fieldTitles(inputs: Input[], config: Record<string, Json>, schema: Schema | undefined): string[] {
  const fields = Object.entries(config).flatMap(([name, value]) => {
    const title = schema?.properties?.[name]?.title ?? name;
    return textsOf(value).map((text) => ({ text, title }));
  });
  return inputs.map((input) => {
    const at = fields.findIndex(({ text }) => text === input.template || (text.length > KEPT && text.startsWith(String(input.template))));
    return at < 0 ? "" : (fields.splice(at, 1)[0]?.title ?? "");
  });
}

function textsOf(value: Json): string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap((one) => textsOf(one as Json));
}
