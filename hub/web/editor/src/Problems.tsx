// Everything that is wrong, each leading to its place.
import type { ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { useStore } from "./store.ts";
import type { Problem } from "./types.ts";

export function Problems(): ReactNode {
  const { store } = useEditor();
  const problems = useStore(store, (state) => state.checked.problems);
  const doc = useStore(store, (state) => state.history.present);
  const titleOf = (id: string): string => {
    const block = doc.blocks.find((one) => one.id === id);
    return block ? block.title || store.types.get(block.type)?.title || id : id;
  };
  const go = (problem: Problem): void => {
    if (!problem.block) return;
    store.set({ selected: [problem.block], side: "inspector", focus: { block: problem.block, path: problem.path ?? "" } });
    window.setTimeout(() => {
      const place = `#inspector [data-path="${CSS.escape(problem.path ?? "")}"]`;
      const field = document.querySelector<HTMLElement>(place);
      field?.closest("details")?.setAttribute("open", "");
      (field ?? document.querySelector<HTMLElement>("#inspector [data-first]"))?.focus();
    }, 0);
  };
  if (problems.length === 0) return <p className="quiet">{t("Nothing is wrong.")}</p>;
  return (
    <ul className="problems">
      {problems.map((problem, at) => (
        <li key={at}>
          <button type="button" disabled={!problem.block} onClick={() => go(problem)}>
            <span className={problem.severity === "error" ? "bad" : "warned"}>
              <Icon name={problem.severity === "error" ? "circle-x" : "alert-triangle"} />
              <span className="visually-hidden">{problem.severity === "error" ? t("Error") : t("Warning")}</span>
            </span>
            <span>
              {problem.block && <strong>{titleOf(problem.block)}: </strong>}
              {problem.message}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
