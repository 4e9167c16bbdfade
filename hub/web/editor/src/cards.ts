// What the portal has of its cards.
import { useAsked } from "./asked.ts";
import type { Json } from "./model.ts";

export type CardFields = {
  fields: { code: string; title: string }[];
  categories: { id: string; title: string }[];
  stages: { id: string; title: string; category: string }[];
};

/** What the portal has of a kind of card; undefined while it is asked, null where it cannot be. */
export function useCardFields(entity: Json | undefined): CardFields | null | undefined {
  return useAsked<CardFields>(typeof entity === "string" && entity ? `/bitrix24/fields/${encodeURIComponent(entity)}` : null);
}
