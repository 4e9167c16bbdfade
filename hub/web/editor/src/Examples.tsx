// The choice of an example, and its values as a tree.
import { useState, type ReactNode } from "react";
import { t } from "page/words";
import { attempt, moment, useEditor } from "./context.tsx";
import { loadExamples } from "./examples.ts";
import { literal } from "./json.ts";
import type { Json } from "./model.ts";
import { useStore } from "./store.ts";
import { shown, spoken } from "./template.ts";

export function ExampleChoice(): ReactNode {
  const { store } = useEditor();
  const examples = useStore(store, (state) => state.examples);
  const example = useStore(store, (state) => state.example);
  const [wanted, setWanted] = useState("");
  const isCard = store.doc.blocks.some((block) => block.type === "bitrix24_event");
  const all = examples ?? [];
  const offered = example && !all.some((one) => one.id === example.id) ? [example, ...all] : all;
  return (
    <>
      <label className="form-label" htmlFor="example">{t("Example")}</label>
      {isCard && (
        <input className="form-control" value={wanted} placeholder={t("Find a card")} aria-label={t("Find a card")}
          onChange={(event) => {
            setWanted(event.target.value);
            void attempt(async () => store.set({ examples: await loadExamples(store, event.target.value) }));
          }} />
      )}
      <select id="example" className="form-select" value={example?.id ?? ""}
        onChange={(event) => store.set({ example: offered.find((one) => one.id === event.target.value) ?? null, trace: null })}>
        {offered.length === 0 && <option value="">{t("nothing has come yet")}</option>}
        {offered.map((one) => (
          <option key={one.id} value={one.id}>
            {one.at ? `${one.title} · ${moment(one.at)}` : one.title}
          </option>
        ))}
      </select>
    </>
  );
}

export function ExampleTree(): ReactNode {
  const { store } = useEditor();
  const example = useStore(store, (state) => state.example);
  if (!example) return null;
  return (
    <details className="more-fields">
      <summary>{t("What is in it")}</summary>
      <Tree value={example.value} />
    </details>
  );
}

type Told = {
  /** What names are called, where they have a title. */
  titles?: Record<string, string> | undefined;
  /** What a value says in words, null where it says all by itself. */
  tell?: ((name: string, text: string) => string | null) | undefined;
};

export function Tree({ value, name = "", titles, tell }: Told & { value: Json; name?: string }): ReactNode {
  if (value === null || typeof value !== "object" || literal(value) !== null) {
    const text = shown(value);
    return <span className="tree-value">{tell?.(name, text) ?? (text || "—")}</span>;
  }
  const entries = Array.isArray(value) ? value.map((one, at) => [`[${at}]`, one] as const) : Object.entries(value);
  return (
    <ul className="tree">
      {entries.map(([of, one]) => (
        <li key={of}>
          <span className="tree-name" title={of}>{of.startsWith("[") ? spoken(of) : (titles?.[of] ?? of)}</span> <Tree value={one} name={of} tell={tell} />
        </li>
      ))}
    </ul>
  );
}
