// What people call the values that stand in texts.
import { useMemo } from "react";
import { t } from "page/words";
import { useCardFields, type CardFields } from "./cards.ts";
import { useEditor } from "./context.tsx";
import { useStore } from "./store.ts";
import { parts, spoken } from "./template.ts";

export type Label = (path: string) => string;
const CARDS = ["deal", "contact", "company", "lead"];

/** The name of a value by its path: what the portal or the author calls it, else the path in words. */
export function useLabel(): Label {
  const { store } = useEditor();
  const checked = useStore(store, (state) => state.checked);
  const blocks = useStore(store, (state) => state.history.present.blocks);
  const entity = blocks.find((block) => block.type === "bitrix24_event")?.config?.["entity"];
  const card = useCardFields(entity);
  const contact = useCardFields(entity === undefined || entity === "contact" ? undefined : "contact");
  const company = useCardFields(entity === undefined || entity === "company" ? undefined : "company");
  const titles = JSON.stringify(blocks.map((block) => [block.id, block.title || store.types.get(block.type)?.title || block.id]));
  return useMemo(() => {
    const known = new Map(checked.variables.map((one) => [one.path, one.title]));
    for (const [id, title] of JSON.parse(titles) as [string, string][]) {
      for (const output of checked.blocks[id]?.outputs ?? []) known.set(output.path, `${title} · ${output.title}`);
    }
    const main = typeof entity === "string" ? entity : "";
    const own = CARDS.includes(main) ? main : "item";
    for (const [name, fields] of [[own, card], ["contact", contact], ["company", company]] as [string, CardFields | null | undefined][]) {
      for (const { code, title } of fields?.fields ?? []) known.set(`bitrix.${name}.${code}`, `${cardTitle(name)} · ${title}`);
    }
    for (const { code, title } of card?.fields ?? []) {
      known.set(`bitrix.old.${code}`, `${t("It was")} · ${title}`);
      known.set(`bitrix.new.${code}`, `${t("It is")} · ${title}`);
    }
    return (path) => named(path, known);
  }, [checked, titles, entity, card, contact, company]);
}

function named(path: string, known: Map<string, string>): string {
  const found = known.get(path);
  if (found !== undefined && found !== path) return found;
  const dot = path.indexOf(".");
  const [root, rest] = dot < 0 ? [path, ""] : [path.slice(0, dot), path.slice(dot + 1)];
  if (rest === "") return spoken(path);
  if (root === "system" || root === "local") return named(rest, known);
  const title = spaceTitle(root);
  return title ? `${title} · ${spoken(rest)}` : spoken(path);
}

function spaceTitle(root: string): string | undefined {
  const titles: Record<string, string> = { body: t("Body"), query: t("Link"), const: t("Constant"), global: t("Shared variable"), request: t("Request"), run: t("Run") };
  return titles[root];
}

function cardTitle(name: string): string {
  const titles: Record<string, string> = { deal: t("Deal"), contact: t("Contact"), company: t("Company"), lead: t("Lead"), item: t("Card") };
  return titles[name] ?? name;
}

/** A text with its places by their names, for where it stands as a line of words. */
export function spelled(text: string, label: Label): string {
  return parts(text).map((part) => (part.kind === "text" ? part.text : `‹${label(part.path)}›`)).join("");
}
