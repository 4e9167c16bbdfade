// Controls for lists of objects and for pairs of a name and a value.
import { useState, type ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { useCardFields } from "./cards.ts";
import { fieldLeaves, useEntity } from "./crm.tsx";
import { Field, ObjectFields, type ControlProps } from "./fields.tsx";
import type { Json } from "./model.ts";
import { Leaves } from "./Picker.tsx";
import type { Schema } from "./types.ts";

export function blank(schema: Schema | undefined): Record<string, Json> {
  const required = schema?.required ?? [];
  return Object.fromEntries(
    required.map((name) => {
      const part = schema?.properties?.[name];
      return [name, part?.enum?.[0] ?? (part?.type === "array" ? [] : "")];
    }),
  );
}

export function Rows({ block, path, schema, value, change }: ControlProps): ReactNode {
  const { store } = useEditor();
  const rows = Array.isArray(value) ? (value as Record<string, Json>[]) : [];
  const keep = (next: Json[]): void => change(next.length === 0 ? undefined : next);
  return (
    <>
      {rows.map((row, at) => (
        <div className="row-item" key={at} role="group" aria-label={t("Row {n}", { n: at + 1 })}>
          <ObjectFields block={block} path={`${path}[${at}]`} schema={schema.items ?? {}} value={row}
            change={(next) => keep(rows.map((one, other) => (other === at ? next : one)))} />
          {store.canEdit && <RemoveRow n={at + 1} remove={() => keep(rows.filter((_, other) => other !== at))} />}
        </div>
      ))}
      {store.canEdit && rows.length < (schema.maxItems ?? Infinity) && (
        <button type="button" className="btn btn-sm" onClick={() => keep([...rows, blank(schema.items)])}>
          <Icon name="plus" />
          {t("Add")}
        </button>
      )}
    </>
  );
}

export function RemoveRow({ n, remove }: { n: number; remove: () => void }): ReactNode {
  return (
    <button type="button" className="btn btn-icon btn-sm row-remove" aria-label={t("Remove row {n}", { n })} onClick={remove}>
      <Icon name="trash" />
    </button>
  );
}

/** Names with a value each. A name is changed in place; the same name twice is not taken. */
export function Pairs({ block, path, schema, value, change, beside }: ControlProps): ReactNode {
  const { store } = useEditor();
  const [fresh, setFresh] = useState("");
  const [open, setOpen] = useState(false);
  const entity = useEntity(beside);
  const offered = fieldLeaves(useCardFields(schema["x-suggest"] === "crm_fields" ? entity : undefined));
  const pairs = Object.entries((value as Record<string, Json> | undefined) ?? {});
  const keep = (next: [string, Json][]): void => change(next.length === 0 ? undefined : Object.fromEntries(next));
  const inner = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
  const widget = inner["x-widget"] ?? (inner.enum ? "choice" : "value");
  const part: Schema = { ...inner, "x-widget": widget, ...(schema["x-titles"] ? { "x-titles": schema["x-titles"] } : {}) };
  const add = (wanted: string): void => {
    const name = wanted.trim();
    setFresh("");
    setOpen(false);
    if (name !== "" && !pairs.some(([known]) => known === name)) keep([...pairs, [name, inner.enum?.[0] ?? ""]]);
  };
  return (
    <>
      {pairs.map(([name, one], at) => (
        <div className="row-item" key={name}>
          <Field block={block} name={name} path={`${path}.${name}`} schema={{ ...part, title: offered.find((leaf) => leaf.path === name)?.label ?? name }} value={one} required
            change={(next) => keep(pairs.map(([key, old]) => (key === name ? [key, next ?? ""] : [key, old])))} />
          {store.canEdit && <RemoveRow n={at + 1} remove={() => keep(pairs.filter(([key]) => key !== name))} />}
        </div>
      ))}
      {store.canEdit && offered.length > 0 && (
        <button type="button" className="btn btn-sm" aria-expanded={open} data-path={`${path}.`} onClick={() => setOpen(!open)}>
          <Icon name="plus" />
          {t("Add a field")}
        </button>
      )}
      {open && <Leaves all={offered.filter((leaf) => !pairs.some(([name]) => name === leaf.path))} pick={add} close={() => setOpen(false)} />}
      {store.canEdit && offered.length === 0 && (
        <div className="pair-new">
          <input className="form-control" value={fresh} placeholder={t("Name")} aria-label={t("Name of a new value")} data-path={`${path}.`}
            onChange={(event) => setFresh(event.target.value)} onBlur={() => add(fresh)}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              add(fresh);
            }} />
          <button type="button" className="btn btn-icon" aria-label={t("Add a value")} onClick={() => add(fresh)}>
            <Icon name="plus" />
          </button>
        </div>
      )}
    </>
  );
}
