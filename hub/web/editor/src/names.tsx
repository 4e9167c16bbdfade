// A list of names: chosen from what the portal or the example has, or typed where nothing is known.
import { useMemo, useState, type ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { useCardFields } from "./cards.ts";
import { fieldLeaves, useEntity } from "./crm.tsx";
import type { ControlProps } from "./fields.tsx";
import { useLabel } from "./labels.ts";
import type { Json } from "./model.ts";
import { Leaves, offered } from "./Picker.tsx";
import { useStore } from "./store.ts";
import { spoken, type Leaf } from "./template.ts";

export function Names(props: ControlProps): ReactNode {
  const suggest = props.schema["x-suggest"];
  if (suggest === "crm_fields") return <FieldNames {...props} />;
  if (suggest === "paths") return <PathNames {...props} />;
  return <List {...props} offer={null} />;
}

function FieldNames(props: ControlProps): ReactNode {
  const known = useCardFields(useEntity(props.beside));
  const leaves = useMemo(() => fieldLeaves(known), [known]);
  return <List {...props} offer={known === null ? null : leaves} />;
}

function PathNames(props: ControlProps): ReactNode {
  const { store } = useEditor();
  const example = useStore(store, (state) => state.example);
  const checked = useStore(store, (state) => state.checked);
  const label = useLabel();
  const leaves = useMemo(() => offered(store, props.block, example, checked, label), [store, props.block, example, checked, label]);
  return <List {...props} offer={leaves} />;
}

/** `offer`: what can be chosen; null where names are typed, and Enter or a comma ends one. */
function List({ block, path, value, change, schema, name, offer }: ControlProps & { offer: Leaf[] | null }): ReactNode {
  const { store } = useEditor();
  const [typed, setTyped] = useState("");
  const [open, setOpen] = useState(false);
  const names = Array.isArray(value) ? value.map(String) : [];
  const keep = (next: string[]): void => change(next.length === 0 ? undefined : (next as Json[]));
  const add = (): void => {
    const fresh = typed.split(/[,\s]+/).filter((one) => one !== "" && !names.includes(one));
    setTyped("");
    if (fresh.length > 0) keep([...names, ...fresh]);
  };
  return (
    <div className="names" data-block={block}>
      {names.map((one, at) => (
        <span className="name" key={`${one} ${at}`}>
          <span title={one}>{offer?.find((leaf) => leaf.path === one)?.label ?? (offer ? spoken(one) : one)}</span>
          <button type="button" disabled={!store.canEdit} aria-label={t("Remove {name}", { name: one })} onClick={() => keep(names.filter((_, other) => other !== at))}>
            <Icon name="x" />
          </button>
        </span>
      ))}
      {store.canEdit && offer && (
        <button type="button" className="btn btn-sm" aria-expanded={open} data-path={`${path}[${names.length}]`} onClick={() => setOpen(!open)}>
          <Icon name="plus" />
          {t("Add …")}
        </button>
      )}
      {open && offer && (
        <Leaves
          all={offer.filter((leaf) => !names.includes(leaf.path))}
          pick={(chosen) => {
            keep([...names, chosen]);
            setOpen(false);
          }}
          close={() => setOpen(false)}
        />
      )}
      {store.canEdit && !offer && (
        <input
          className="form-control"
          value={typed}
          placeholder={t("Add …")}
          aria-label={t("Add to “{title}”", { title: schema.title ?? name })}
          data-path={`${path}[${names.length}]`}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={add}
          onKeyDown={(event) => {
            if (event.key === "Enter" || event.key === ",") {
              event.preventDefault();
              add();
            } else if (event.key === "Backspace" && typed === "" && names.length > 0) keep(names.slice(0, -1));
          }}
        />
      )}
    </div>
  );
}
