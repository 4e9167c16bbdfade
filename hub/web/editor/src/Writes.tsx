// A message as the example fills it, before its scenario is published.
import { useEffect, useState, type ReactNode } from "react";
import { t } from "page/words";
import { attempt, Icon, useEditor } from "./context.tsx";
import { Filled, fillsOf, Reasons } from "./Filled.tsx";
import { useLabel } from "./labels.ts";
import type { Block } from "./model.ts";
import { askPreview } from "./preview.ts";
import { useStore } from "./store.ts";
import type { Preview } from "./types.ts";

export function Writes({ block }: { block: Block }): ReactNode {
  const { store } = useEditor();
  const example = useStore(store, (state) => state.example);
  const drawn = useStore(store, (state) => state.checked.blocks[block.id]);
  const label = useLabel();
  const [previews, setPreviews] = useState<Record<string, Preview>>({});
  useEffect(() => {
    if (example) void attempt(async () => setPreviews(await askPreview(store, block.id)));
  }, [store, example, block.id]);
  const written = (name: string): string => {
    const found = block.config?.[name];
    return typeof found === "string" ? found : "";
  };
  const fills = (name: string): ReturnType<typeof fillsOf> => fillsOf(previews[name]);
  const listed = block.config?.["skip_if_empty"];
  const needed = Array.isArray(listed) ? listed : [];
  const lacking = Object.values(previews).flatMap(fillsOf).filter((fill) => fill.text === "" && needed.includes(fill.path));
  const lacked = [...new Set(lacking.map((fill) => fill.path))].map((path) => t("{place} is empty", { place: label(path) }));
  return (
    <>
      <dt>{t("Writes")}</dt>
      <dd>
        <p className="small quiet">
          {written("line")} → <Filled template={written("chat_id")} fills={fills("chat_id")} />
        </p>
        {lacked.length > 0 && (
          <p className="given-empty small">
            <Icon name="circle-x" />
            <strong>{t("It is not sent with this example: {why}", { why: lacked.join(", ") })}</strong>
          </p>
        )}
        <div className="bubble">{written("text") ? <Filled template={written("text")} fills={fills("text")} /> : drawn?.summary}</div>
        <Reasons fills={[...fills("chat_id"), ...fills("text")]} />
      </dd>
    </>
  );
}
