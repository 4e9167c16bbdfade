// The form of a block, drawn from its schema: one control for every widget that a schema may name.
import { useId, useState, type ReactNode } from "react";
import { t } from "page/words";
import { Branches } from "./Branches.tsx";
import { Icon, useEditor } from "./context.tsx";
import { literal, readTyped } from "./json.ts";
import { Pairs, Rows } from "./lists.tsx";
import type { Json } from "./model.ts";
import { EntityChoice, FieldChoice, FunnelChoice, StageChoice, useHasFunnels } from "./crm.tsx";
import { Names } from "./names.tsx";
import { Choice, Duration, LineChoice, MessengerChoice, Plain, ScenarioChoice } from "./plain.tsx";
import { TemplateField } from "./TemplateField.tsx";
import { useStore } from "./store.ts";
import type { Schema } from "./types.ts";

export type FieldProps = {
  block: string;
  name: string;
  path: string;
  schema: Schema;
  value: Json | undefined;
  required: boolean;
  /** undefined takes the key away. */
  change: (value: Json | undefined) => void;
  isFirst?: boolean;
  /** The fields around it, and a way to change several of them at once; undefined takes a key away. */
  beside?: Record<string, Json>;
  set?: (changes: Record<string, Json | undefined>) => void;
};
export type Fields = { block: string; path: string; schema: Schema; value: Record<string, Json>; change: (value: Record<string, Json>) => void };

/** All properties of an object, those marked `x-more` folded away. */
export function ObjectFields({ block, path, schema, value, change }: Fields): ReactNode {
  const inOrder = Object.entries(schema.properties ?? {}).sort(([, a], [, b]) => (a["x-order"] ?? 0) - (b["x-order"] ?? 0));
  const { store } = useEditor();
  const problems = useStore(store, (state) => state.checked.problems);
  // A key keeps its place, so that a document that is only looked at stays what it was.
  const set = (changes: Record<string, Json | undefined>): void =>
    change(Object.fromEntries(Object.entries({ ...value, ...changes }).filter(([, one]) => one !== undefined)) as Record<string, Json>);
  const hasProblem = (name: string): boolean => problems.some((one) => one.block === block && one.path === (path ? `${path}.${name}` : name));
  const isMeant = ([name, part]: [string, Schema]): boolean =>
    hasProblem(name) ||
    Object.entries(part["x-when"] ?? {}).every(([other, values]) => values.includes(String(value[other] ?? schema.properties?.[other]?.default ?? "")));
  const draw = ([name, part]: [string, Schema], at: number): ReactNode => (
    <Field
      key={name}
      block={block}
      name={name}
      path={path ? `${path}.${name}` : name}
      schema={part}
      value={value[name]}
      required={schema.required?.includes(name) ?? false}
      isFirst={path === "" && at === 0}
      beside={value}
      set={set}
      change={(next) => set({ [name]: next })}
    />
  );
  const isMore = ([name, part]: [string, Schema]): boolean => part["x-more"] === true && value[name] === undefined;
  const meant = inOrder.filter(isMeant);
  const shown = meant.filter((one) => !isMore(one));
  const more = meant.filter(isMore);
  const isWrong = more.some(([name]) => hasProblem(name));
  return (
    <>
      {shown.map(draw)}
      {more.length > 0 && (
        <details className="more-fields" open={isWrong || undefined}>
          <summary>{t("More")}</summary>
          {more.map((one) => draw(one, -1))}
        </details>
      )}
    </>
  );
}

export function Field(props: FieldProps): ReactNode {
  return props.schema["x-widget"] === "funnel" ? <FunnelField {...props} /> : <Labelled {...props} />;
}

function FunnelField(props: FieldProps): ReactNode {
  const isChosen = props.value !== undefined && props.value !== null;
  return useHasFunnels(props.beside) || isChosen ? <Labelled {...props} /> : null;
}

function Labelled(props: FieldProps): ReactNode {
  const { block, path, schema, isFirst } = props;
  const { store } = useEditor();
  const problems = useStore(store, (state) => state.checked.problems);
  const [isChoosing, setChoosing] = useState(false);
  // Half a name is no mistake while its end is being chosen.
  const own = isChoosing ? [] : problems.filter((problem) => problem.block === block && problem.path === path);
  const id = useId();
  const hint = schema.description ? `${id}-hint` : undefined;
  const wrong = own.length > 0 ? `${id}-wrong` : undefined;
  const described = [hint, wrong].filter(Boolean).join(" ") || undefined;
  const title = schema.title ?? props.name;
  const widget = schema["x-widget"] ?? "json";
  const inner = { ...props, id, described, invalid: own.some((one) => one.severity === "error"), choosing: setChoosing };
  const grouped = ["rows", "branches", "pairs", "names", "group", "mapping"].includes(widget);
  const first = isFirst ? { "data-first": "" } : {};
  if (widget === "switch") {
    return (
      <div className="field">
        <label className="form-check form-switch">
          <input
            type="checkbox"
            className="form-check-input"
            checked={Boolean(props.value ?? schema.default)}
            disabled={!store.canEdit}
            aria-describedby={described}
            data-path={path}
            {...first}
            onChange={(event) => props.change(event.target.checked === Boolean(schema.default) ? undefined : event.target.checked)}
          />
          <span className="form-check-label">{title}</span>
        </label>
        <Notes schema={schema} hint={hint} wrong={wrong} own={own} />
      </div>
    );
  }
  const control = <Control {...inner} widget={widget} />;
  if (grouped) {
    return (
      <fieldset className="field field-group" disabled={!store.canEdit} aria-describedby={described} data-path={path} tabIndex={-1} {...first}>
        <legend className="form-label">{title}</legend>
        <Notes schema={schema} hint={hint} wrong={wrong} own={own} />
        {control}
      </fieldset>
    );
  }
  const isText = widget === "template" || widget === "template_multiline" || (widget === "value" && isTemplate(props.value));
  return (
    <div className="field" {...(isFirst ? { "data-first": "", tabIndex: -1 } : {})} onFocus={(event) => {
      if (event.target === event.currentTarget) event.currentTarget.querySelector<HTMLElement>("input, select, textarea, [role=textbox]")?.focus();
    }}>
      {isText ? (
        <span className="form-label" id={`${id}-label`}>{title}</span>
      ) : (
        <label className="form-label" htmlFor={id}>{title}</label>
      )}
      {control}
      <Notes schema={schema} hint={hint} wrong={wrong} own={own} />
    </div>
  );
}

type Notes = { schema: Schema; hint: string | undefined; wrong: string | undefined; own: { message: string; severity: string }[] };

function Notes({ schema, hint, wrong, own }: Notes): ReactNode {
  return (
    <>
      {hint && <p className="form-hint" id={hint}>{schema.description}</p>}
      {wrong && (
        <p className="field-error" id={wrong}>
          <Icon name="alert-triangle" />
          {own.map((one) => one.message).join(" ")}
        </p>
      )}
    </>
  );
}

export type ControlProps = FieldProps & { id: string; described: string | undefined; invalid: boolean; choosing: (is: boolean) => void };

function Control(props: ControlProps & { widget: string }): ReactNode {
  const { block, path, schema, value, change, widget, id, described, invalid, required } = props;
  if (widget === "template" || widget === "template_multiline" || (widget === "value" && isTemplate(value))) {
    const text = typeof value === "string" ? value : (literal(value) ?? (value === undefined || value === null ? "" : String(value)));
    return (
      <TemplateField
        block={block}
        path={path}
        value={text}
        multiline={widget === "template_multiline"}
        labelId={`${id}-label`}
        described={described}
        invalid={invalid}
        choosing={props.choosing}
        change={(next) => change(next === "" && !required ? undefined : next)}
      />
    );
  }
  switch (widget) {
    case "choice":
      return <Choice {...props} />;
    case "entity":
      return <EntityChoice {...props} />;
    case "funnel":
      return <FunnelChoice {...props} />;
    case "stage":
      return <StageChoice {...props} />;
    case "messenger":
      return <MessengerChoice {...props} />;
    case "line":
      return <LineChoice {...props} />;
    case "scenario":
      return <ScenarioChoice {...props} />;
    case "duration_s":
      return <Duration {...props} />;
    case "names":
      return <Names {...props} />;
    case "branches":
      return <Branches {...props} />;
    case "rows":
      return <Rows {...props} />;
    case "pairs":
      return <Pairs {...props} />;
    case "group":
      return <Group {...props} />;
    case "mapping":
      return <Mapping {...props} />;
    case "text":
      return schema["x-suggest"] === "crm_fields" ? <FieldChoice {...props} /> : <Plain {...props} />;
    case "number":
      return <Plain {...props} isNumber />;
    default:
      return <JsonText {...props} />;
  }
}

function isTemplate(value: Json | undefined): boolean {
  return value === undefined || value === null || typeof value !== "object" || literal(value) !== null;
}

/** An object of fixed fields that may be absent. */
function Group({ block, path, schema, value, change, name }: ControlProps): ReactNode {
  const { store } = useEditor();
  const present = value !== undefined && value !== null;
  return (
    <>
      {schema["x-nullable"] && (
        <label className="form-check form-switch">
          <input type="checkbox" className="form-check-input" checked={present} disabled={!store.canEdit} aria-label={schema.title ?? name}
            onChange={(event) => change(event.target.checked ? {} : undefined)} />
          <span className="form-check-label">{present ? t("on") : t("off")}</span>
        </label>
      )}
      {present && <ObjectFields block={block} path={path} schema={schema} value={value as Record<string, Json>} change={change} />}
    </>
  );
}

/** Fields of the CRM as variables: chosen on a page of their own, or here for this scenario alone. */
function Mapping(props: ControlProps): ReactNode {
  const { store } = useEditor();
  const own = Array.isArray(props.value);
  return (
    <>
      <p className="small">
        <a href={store.data.addresses["fields"] ?? "/fields"}>{t("Choose fields on the page “CRM fields”")}</a>
      </p>
      {own && <Rows {...props} />}
    </>
  );
}

/** Any JSON. What cannot be read yet stays in the field and is not taken. */
function JsonText({ id, path, value, change, described, invalid, required }: ControlProps): ReactNode {
  const { store } = useEditor();
  const [text, setText] = useState(() => (value === undefined || value === null ? "" : JSON.stringify(value, null, 2)));
  const [bad, setBad] = useState(false);
  return (
    <>
      <textarea
        id={id}
        className="form-control mono"
        rows={5}
        value={text}
        data-path={path}
        aria-describedby={described}
        aria-invalid={invalid || bad}
        readOnly={!store.canEdit}
        onChange={(event) => {
          setText(event.target.value);
          if (event.target.value.trim() === "") {
            setBad(false);
            return change(required ? null : undefined);
          }
          const read = readTyped(event.target.value) as Json | undefined;
          setBad(read === undefined); // half typed: the document keeps what could be read last
          if (read !== undefined) change(read);
        }}
      />
      {bad && <p className="field-error">{t("This is not valid JSON yet.")}</p>}
    </>
  );
}
