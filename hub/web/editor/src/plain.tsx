// Controls for single values: texts, numbers, choices, spans of time, lists of names.
import { useEffect, useState, type ReactNode } from "react";
import { t } from "page/words";
import { api, ApiError } from "./api.ts";
import { Icon, useEditor } from "./context.tsx";
import type { ControlProps } from "./fields.tsx";
import { literal } from "./json.ts";
import type { Json } from "./model.ts";
import type { Line } from "./types.ts";

export function Plain({ id, path, value, change, schema, described, invalid, required, isNumber }: ControlProps & { isNumber?: boolean }): ReactNode {
  const { store } = useEditor();
  const text = value === undefined || value === null ? "" : (literal(value) ?? String(value));
  const preset = schema.default === undefined || schema.default === null ? "" : String(schema.default);
  return (
    <input
      id={id}
      className={`form-control ${invalid ? "is-invalid" : ""}`}
      inputMode={isNumber ? "decimal" : undefined}
      value={text}
      placeholder={preset}
      data-path={path}
      aria-describedby={described}
      aria-invalid={invalid}
      readOnly={!store.canEdit}
      onChange={(event) => {
        const typed = event.target.value;
        if (typed === "") return change(required && !isNumber ? "" : undefined);
        const number = Number(typed.replace(",", "."));
        change(isNumber && Number.isFinite(number) && !/[.,]$/.test(typed) ? number : typed);
      }}
    />
  );
}

export function Choice({ id, path, value, change, schema, described, invalid, required }: ControlProps): ReactNode {
  const { store } = useEditor();
  const titles = schema["x-titles"] ?? {};
  const values = schema.enum ?? Object.keys(titles);
  const now = value ?? schema.default ?? "";
  const known = typeof now === "string" && (now === "" || values.includes(now));
  return (
    <select
      id={id}
      className={`form-select ${invalid ? "is-invalid" : ""}`}
      value={String(now)}
      disabled={!store.canEdit}
      data-path={path}
      aria-describedby={described}
      aria-invalid={invalid}
      onChange={(event) => {
        const chosen = event.target.value;
        change(chosen === "" || (!required && chosen === schema.default) ? undefined : chosen);
      }}
    >
      {(now === "" || schema["x-nullable"]) && <option value="">{now === "" && required ? t("Choose …") : "—"}</option>}
      {!known && <option value={String(now)}>{String(now)}</option>}
      {values.map((one) => (
        <option key={one} value={one}>
          {titles[one] ?? one}
        </option>
      ))}
    </select>
  );
}

function useList<Item>(address: string): Item[] | null {
  const [items, setItems] = useState<Item[] | null>(null);
  useEffect(() => {
    let gone = false;
    api<{ items: Item[] }>("GET", address).then(
      (found) => !gone && setItems(found.items),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (!gone) setItems([]); // the value in the document is still shown
      },
    );
    return () => {
      gone = true;
    };
  }, [address]);
  return items;
}

export function LineChoice(props: ControlProps): ReactNode {
  const { store } = useEditor();
  const lines = useList<Line>("/lines");
  const names = lines?.map((line) => line.name) ?? [];
  const titles = Object.fromEntries((lines ?? []).map((line) => [line.name, `${line.name} (${line.channel})${line.state === "on" ? "" : ` — ${t("does not send now")}`}`]));
  if (lines?.length === 0 && !props.value) {
    return (
      <p className="form-hint">
        <a href={store.data.addresses["lines"] ?? "/lines"}>{t("Connect a line first")}</a>
      </p>
    );
  }
  return <Choice {...props} schema={{ ...props.schema, enum: names, "x-titles": titles }} />;
}

export function ScenarioChoice(props: ControlProps): ReactNode {
  const found = useList<{ id: number; name: string }>("/scenarios");
  const titles = Object.fromEntries((found ?? []).map((one) => [String(one.id), one.name]));
  return (
    <Choice
      {...props}
      value={props.value === undefined ? undefined : String(literal(props.value) ?? props.value)}
      schema={{ ...props.schema, enum: Object.keys(titles), "x-titles": titles }}
      change={(chosen) => props.change(chosen === undefined ? undefined : Number(chosen))}
    />
  );
}

const UNITS = (): [string, number][] => [
  [t("seconds"), 1],
  [t("minutes"), 60],
  [t("hours"), 3600],
  [t("days"), 86_400],
];

/** A span of time, in the largest unit that keeps it whole. */
export function Duration({ id, path, value, change, described, invalid, schema }: ControlProps): ReactNode {
  const { store } = useEditor();
  const given = value === undefined || value === null ? null : Number(literal(value) ?? value);
  const preset = typeof schema.default === "number" ? schema.default : null;
  const units = UNITS();
  const fitting = (seconds: number): number => [...units].reverse().find(([, size]) => seconds % size === 0)?.[1] ?? 1;
  const [unit, setUnit] = useState(() => fitting(given ?? preset ?? 60));
  const set = (text: string, size: number): void => {
    const number = Number(text.replace(",", "."));
    change(text === "" ? undefined : Number.isFinite(number) ? number * size : text);
  };
  const shown = given === null ? "" : Number.isFinite(given) ? String(given / unit) : String(value);
  return (
    <div className="duration">
      <input id={id} className={`form-control ${invalid ? "is-invalid" : ""}`} inputMode="decimal" value={shown} data-path={path} readOnly={!store.canEdit}
        placeholder={preset === null ? "" : String(preset / unit)} aria-describedby={described} aria-invalid={invalid} onChange={(event) => set(event.target.value, unit)} />
      <select className="form-select" value={unit} disabled={!store.canEdit} aria-label={t("Unit of time")}
        onChange={(event) => {
          const size = Number(event.target.value);
          setUnit(size);
          if (shown !== "") set(shown, size);
        }}>
        {units.map(([name, size]) => (
          <option key={size} value={size}>{name}</option>
        ))}
      </select>
    </div>
  );
}

/** A list of names: Enter or a comma ends one. */
export function Names({ block, path, value, change, schema, name }: ControlProps): ReactNode {
  const { store } = useEditor();
  const [typed, setTyped] = useState("");
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
          {one}
          <button type="button" aria-label={t("Remove {name}", { name: one })} onClick={() => keep(names.filter((_, other) => other !== at))}>
            <Icon name="x" />
          </button>
        </span>
      ))}
      {store.canEdit && (
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
