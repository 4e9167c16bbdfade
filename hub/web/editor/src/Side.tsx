// The pane beside the drawing; on narrow screens a sheet above it.
import type { ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { Inspector } from "./Inspector.tsx";
import { LinksPane } from "./Links.tsx";
import { Problems } from "./Problems.tsx";
import { RunPane } from "./RunPane.tsx";
import { TestPane } from "./TestPane.tsx";
import { Versions } from "./Versions.tsx";
import { blockOf } from "./model.ts";
import { useStore } from "./store.ts";

export function Side(): ReactNode {
  const { store } = useEditor();
  const side = useStore(store, (state) => state.side);
  const selected = useStore(store, (state) => state.selected);
  const doc = useStore(store, (state) => state.history.present);
  const block = selected.length === 1 ? blockOf(doc, selected[0]!) : undefined;
  if (side === null || (side === "inspector" && !block)) return null;
  const title = {
    inspector: block ? (store.types.get(block.type)?.title ?? block.type) : "",
    run: t("A run"),
    test: t("Test"),
    versions: t("Versions"),
    links: t("Links"),
    problems: t("Problems"),
  }[side];
  // What is drawn on the blocks stays: on narrow screens the pane lies above it.
  const close = (): void => store.set({ side: null, selected: [] });
  return (
    <aside
      className="side-pane"
      id={side === "inspector" ? "inspector" : undefined}
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        close();
        if (block) document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(block.id)}"]`)?.focus();
      }}
    >
      <div className="side-head">
        <h2>{title}</h2>
        <button type="button" className="btn btn-icon" aria-label={t("Close")} onClick={close}>
          <Icon name="x" />
        </button>
      </div>
      <div className="side-body">
        {side === "inspector" && block && <Inspector key={block.id} block={block} />}
        {side === "run" && <RunPane />}
        {side === "test" && <TestPane />}
        {side === "versions" && <Versions />}
        {side === "links" && <LinksPane />}
        {side === "problems" && <Problems />}
      </div>
    </aside>
  );
}
