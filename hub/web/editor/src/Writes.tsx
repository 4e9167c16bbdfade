// A message as the example fills it, before its scenario is published.
import { useEffect, useState, type ReactNode } from "react";
import { t } from "page/words";
import { attempt, useEditor } from "./context.tsx";
import { Filled, fillsOf, Reasons } from "./Filled.tsx";
import type { Block } from "./model.ts";
import { askPreview } from "./preview.ts";
import { useStore } from "./store.ts";
import type { Preview } from "./types.ts";

export function Writes({ block }: { block: Block }): ReactNode {
  const { store } = useEditor();
  const example = useStore(store, (state) => state.example);
  const drawn = useStore(store, (state) => state.checked.blocks[block.id]);
  const [previews, setPreviews] = useState<Record<string, Preview>>({});
  useEffect(() => {
    if (example) void attempt(async () => setPreviews(await askPreview(store, block.id)));
  }, [store, example, block.id]);
  const written = (name: string): string => {
    const found = block.config?.[name];
    return typeof found === "string" ? found : "";
  };
  const fills = (name: string): ReturnType<typeof fillsOf> => fillsOf(previews[name]);
  return (
    <>
      <dt>{t("Writes")}</dt>
      <dd>
        <p className="small quiet">
          {written("line")} → <Filled template={written("chat_id")} fills={fills("chat_id")} />
        </p>
        <div className="bubble">{written("text") ? <Filled template={written("text")} fills={fills("text")} /> : drawn?.summary}</div>
        <Reasons fills={[...fills("chat_id"), ...fills("text")]} />
      </dd>
    </>
  );
}
