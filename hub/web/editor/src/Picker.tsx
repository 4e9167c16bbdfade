// What can be put into a text: values of the example, results of earlier blocks, variables; found by name or by value.
import { useEffect, useId, useImperativeHandle, useMemo, useRef, useState, type KeyboardEvent, type ReactNode, type Ref } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { useLabel, type Label } from "./labels.ts";
import { before } from "./model.ts";
import { useStore, type State, type Store } from "./store.ts";
import { leaves, matching, type Leaf } from "./template.ts";

export type PickerHandle = { key: (event: KeyboardEvent) => boolean };
type Choosing = {
  /** What was typed in the field that it belongs to; null when it has a search field of its own. */
  typed?: string | null;
  pick: (path: string) => void;
  close: () => void;
  ref?: Ref<PickerHandle> | undefined;
};
const MAX_OFFERED = 60;

/** Values of the example and results of earlier blocks, to be put into a text. */
export function Picker({ block, ...choosing }: Choosing & { block: string }): ReactNode {
  const { store } = useEditor();
  const example = useStore(store, (state) => state.example);
  const checked = useStore(store, (state) => state.checked);
  const label = useLabel();
  const all = useMemo(() => offered(store, block, example, checked, label), [store, block, example, checked, label]);
  return (
    <Leaves
      {...choosing}
      all={all}
      caption={example ? t("Values of the example “{title}”", { title: example.title }) : null}
      empty={t("There is no example yet: call the link, or type a name.")}
    />
  );
}

/** A list to choose one of, found by what it is called or by its value. */
export function Leaves({ all, typed = null, pick, close, ref, caption = null, empty }: Choosing & { all: Leaf[]; caption?: string | null; empty?: string }): ReactNode {
  const [wanted, setWanted] = useState("");
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const query = typed ?? wanted;
  const found = useMemo(() => matching(all, query).slice(0, MAX_OFFERED), [all, query]);
  useEffect(() => setActive(0), [query]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const key = (event: KeyboardEvent): boolean => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && found.length > 0) setActive((active + step + found.length) % found.length);
    else if ((event.key === "Enter" || event.key === "Tab") && found[active]) pick(found[active].path);
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  useImperativeHandle(ref, () => ({ key }));

  return (
    <div className="picker" data-testid="picker">
      {typed === null && (
        <div className="picker-search">
          <input
            className="form-control"
            role="combobox"
            aria-expanded="true"
            aria-controls={id}
            aria-activedescendant={found[active] && `${id}-${active}`}
            aria-label={t("Find by name or value")}
            placeholder={t("Find by name or value")}
            value={wanted}
            autoFocus
            onChange={(event) => setWanted(event.target.value)}
            onKeyDown={key}
          />
          <button type="button" className="btn btn-icon" aria-label={t("Close the list")} onClick={close}>
            <Icon name="x" />
          </button>
        </div>
      )}
      {caption && <p className="picker-example small">{caption}</p>}
      <div className="picker-list" role="listbox" id={id} ref={list} aria-label={t("What can be inserted")} tabIndex={-1}>
        {found.map((leaf, at) => (
          <div
            key={leaf.path}
            id={`${id}-${at}`}
            role="option"
            aria-selected={at === active}
            className="picker-leaf"
            title={leaf.title}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => pick(leaf.path)}
          >
            <span className="picker-label">{leaf.label}</span>
            <span className="picker-value">{leaf.value}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && (
        <p className="quiet small picker-example">
          {all.length === 0 && empty ? empty : t("Nothing is called that.")}
        </p>
      )}
    </div>
  );
}

/** Everything that a text of a block may take. */
export function offered(store: Store, block: string, example: State["example"], checked: State["checked"], label: Label): Leaf[] {
  const found = new Map<string, Leaf>();
  const keep = (leaf: Leaf): void => {
    if (!found.has(leaf.path)) found.set(leaf.path, leaf);
  };
  if (example) leaves(example.value, label).forEach(keep);
  const earlier = before(store.doc, block);
  for (const one of store.doc.blocks) {
    if (!earlier.has(one.id)) continue;
    for (const output of checked.blocks[one.id]?.outputs ?? []) {
      keep({ path: output.path, label: label(output.path), value: "", title: output.path, inner: false });
    }
  }
  for (const known of checked.variables) {
    keep({ path: known.path, label: label(known.path), value: "", title: known.path, inner: false });
  }
  return [...found.values()];
}

