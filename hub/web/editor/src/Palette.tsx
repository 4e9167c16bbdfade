// All blocks by groups, to add one: a word finds it, Enter takes the first.
import { useState, type ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { Dialog } from "./Dialog.tsx";
import { freeId, insert, type Place } from "./model.ts";
import type { BlockType } from "./types.ts";

const GROUPS = (): Record<string, string> => ({
  start: t("Start"),
  message: t("Messages"),
  logic: t("Logic"),
  data: t("Data"),
  bitrix24: t("Bitrix24"),
  answer: t("Answer"),
});

export function Palette({ after, close }: { after: Place | null; close: () => void }): ReactNode {
  const { store } = useEditor();
  const [wanted, setWanted] = useState("");
  const hasStart = store.doc.blocks.some((block) => store.types.get(block.type)?.trigger);
  const needle = wanted.toLocaleLowerCase().trim();
  const offered = store.data.blocks.filter(
    (type) =>
      type.trigger === !hasStart &&
      (needle === "" || `${type.title} ${type.about} ${type.type}`.toLocaleLowerCase().includes(needle)),
  );
  const take = (type: BlockType): void => {
    const id = freeId(store.doc, type.type);
    const exit = type.ports.find((port) => port.id === "next")?.id ?? type.ports[0]?.id ?? null;
    const block = {
      id,
      type: type.type,
      ...(type.version === 1 ? {} : { version: type.version }),
      ...(Object.keys(type.default).length > 0 ? { config: type.default } : {}),
    };
    const place = after ?? lastFree();
    store.edit((doc) => insert(doc, block, type.trigger ? null : place, exit));
    store.set({ selected: [id], side: "inspector" });
    close();
    requestAnimationFrame(() => document.querySelector<HTMLElement>("#inspector [data-first]")?.focus());
  };
  // A block that is added without a place goes behind the last one whose way on is free.
  const lastFree = (): Place | null => {
    for (const block of [...store.doc.blocks].reverse()) {
      const free = store.portsOf(block.id).find((port) => port.id !== "error");
      const isTaken = store.doc.links.some((link) => link.from === block.id && link.port === free?.id);
      if (free && !isTaken) return { from: block.id, port: free.id };
    }
    return null;
  };
  const groups = GROUPS();
  return (
    <Dialog title={hasStart ? t("Add a block") : t("What starts it?")} close={close} className="palette">
      <input
        className="form-control"
        placeholder={t("Search")}
        aria-label={t("Search among the blocks")}
        value={wanted}
        data-autofocus=""
        onChange={(event) => setWanted(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && offered[0]) {
            event.preventDefault();
            take(offered[0]);
          }
        }}
      />
      {Object.entries(groups).map(([group, title]) => {
        const found = offered.filter((type) => type.group === group);
        if (found.length === 0) return null;
        return (
          <section key={group} aria-label={title}>
            <h3>{title}</h3>
            <div className="palette-list">
              {found.map((type) => (
                <button type="button" key={type.type} className={`palette-block block-${group}`} onClick={() => take(type)}>
                  <Icon name={type.icon} />
                  <span>
                    <strong>{type.title}</strong>
                    <span className="quiet small">{type.about}</span>
                  </span>
                </button>
              ))}
            </div>
          </section>
        );
      })}
      {offered.length === 0 && <p className="quiet">{t("No such block.")}</p>}
    </Dialog>
  );
}
