// Controls for things of the CRM, by the portal's own names: kinds of cards, funnels, stages, fields.
import { useState, type ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import type { ControlProps } from "./fields.tsx";
import { useCardFields, type CardFields } from "./cards.ts";
import { literal } from "./json.ts";
import type { Block, Json } from "./model.ts";
import { Leaves } from "./Picker.tsx";
import { Choice, Plain } from "./plain.tsx";
import { useStore } from "./store.ts";
import type { Leaf } from "./template.ts";

/** The kind of card that the fields beside are of: the one named there, else the one that starts the scenario. */
export function useEntity(beside: Record<string, Json> | undefined): string {
  const { store } = useEditor();
  const blocks = useStore(store, (state) => state.history.present.blocks);
  const start = blocks.find((block: Block) => store.types.get(block.type)?.trigger);
  const named = beside?.["entity"] ?? start?.config?.["entity"];
  return typeof named === "string" ? named : "deal";
}

/** The fields of a kind of card as leaves of a picker: found by title or by code. */
export function fieldLeaves(known: CardFields | null | undefined): Leaf[] {
  return (known?.fields ?? []).map(({ code, title }) => ({ path: code, label: title, value: title === code ? "" : code, title: code, inner: false }));
}

/** Another kind of card has other funnels, stages and fields. */
export function EntityChoice(props: ControlProps): ReactNode {
  const { beside, set, name } = props;
  const change = (entity: Json | undefined): void => {
    const fields = Array.isArray(beside?.["fields"]) ? { fields: undefined } : {};
    if (set) set({ [name]: entity, category: undefined, stage: undefined, ...fields });
    else props.change(entity);
  };
  return <Choice {...props} change={change} />;
}

export function FunnelChoice(props: ControlProps): ReactNode {
  const { value, beside, set, name } = props;
  const known = useCardFields(beside?.["entity"]);
  if (!known) return <Plain {...props} isNumber />;
  const now = value === undefined || value === null ? "" : (literal(value) ?? String(value));
  const titles = Object.fromEntries(known.categories.map((one) => [one.id, one.title]));
  return (
    <Choice
      {...props}
      value={now === "" ? undefined : now}
      schema={{ ...props.schema, enum: Object.keys(titles), "x-titles": titles, "x-nullable": true }}
      none={t("any")}
      change={(chosen) => {
        const stage = known.stages.find((one) => one.id === beside?.["stage"]);
        const lost = chosen !== undefined && stage?.category !== chosen ? { stage: undefined } : {};
        set?.({ [name]: chosen === undefined ? undefined : Number(chosen), ...lost });
      }}
    />
  );
}

/** Whether there is a funnel to choose: most portals have one for each kind of card. */
export function useHasFunnels(beside: Record<string, Json> | undefined): boolean {
  const known = useCardFields(beside?.["entity"]);
  return known === undefined ? false : known === null || known.categories.length > 1;
}

export function StageChoice(props: ControlProps): ReactNode {
  const { id, path, value, change, beside, described, invalid } = props;
  const { store } = useEditor();
  const known = useCardFields(beside?.["entity"]);
  if (known === null || known?.stages.length === 0) return <Plain {...props} />;
  const category = beside?.["category"];
  const funnel = category === undefined || category === null ? null : (literal(category) ?? String(category));
  const all = known?.stages ?? [];
  const stages = funnel === null ? all : all.filter((one) => one.category === funnel);
  const funnels = (known?.categories ?? []).filter((one) => stages.some((stage) => stage.category === one.id));
  const now = typeof value === "string" ? value : "";
  const draw = (of: typeof stages): ReactNode => of.map((one) => <option key={one.id} value={one.id}>{one.title}</option>);
  return (
    <select id={id} className={`form-select ${invalid ? "is-invalid" : ""}`} value={now} disabled={!store.canEdit} data-path={path}
      aria-describedby={described} aria-invalid={invalid} onChange={(event) => change(event.target.value || undefined)}>
      {now === "" && <option value="">{t("Choose …")}</option>}
      {now !== "" && !stages.some((one) => one.id === now) && <option value={now}>{now}</option>}
      {funnels.length > 1
        ? funnels.map((one) => <optgroup key={one.id} label={one.title}>{draw(stages.filter((stage) => stage.category === one.id))}</optgroup>)
        : draw(stages)}
    </select>
  );
}

/** One field, of the card itself or of its customer; typed where the portal cannot be asked. */
export function FieldChoice(props: ControlProps): ReactNode {
  const { id, path, value, change, beside, described, schema, name } = props;
  const { store } = useEditor();
  const [open, setOpen] = useState(false);
  const entity = useEntity(beside);
  const known = useCardFields(entity);
  const contact = useCardFields(entity === "contact" ? undefined : "contact");
  const company = useCardFields(entity === "company" ? undefined : "company");
  if (known === null) return <Plain {...props} />;
  const linked = (of: CardFields | null | undefined, title: string, link: string): Leaf[] =>
    fieldLeaves(of).map((leaf) => ({ ...leaf, path: `${link}.${leaf.path}`, label: `${title} · ${leaf.label}` }));
  const all = [...fieldLeaves(known), ...linked(contact, t("Contact"), "CONTACT"), ...linked(company, t("Company"), "COMPANY")];
  const now = typeof value === "string" ? value : "";
  const shown = all.find((leaf) => leaf.path === now)?.label ?? (now || t("Choose …"));
  return (
    <>
      <button type="button" id={id} className="btn btn-sm" data-path={path} title={now} disabled={!store.canEdit} aria-expanded={open} aria-describedby={described}
        aria-label={`${schema.title ?? name}: ${shown}`} onClick={() => setOpen(!open)}>
        {shown}
        <Icon name="chevron-down" />
      </button>
      {open && (
        <Leaves
          all={all}
          pick={(chosen) => {
            change(chosen);
            setOpen(false);
          }}
          close={() => setOpen(false)}
        />
      )}
    </>
  );
}
