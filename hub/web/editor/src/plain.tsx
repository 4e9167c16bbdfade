// Controls for single values: texts, numbers, choices, spans of time, lists of names.
import { useState, type ReactNode } from "react";
import { t } from "page/words";
import { useItems } from "./asked.ts";
import { Icon, useEditor } from "./context.tsx";
import type { ControlProps } from "./fields.tsx";
import { literal, readTyped } from "./json.ts";
import type { Json } from "./model.ts";
import { shownAs, useStates } from "./states.ts";
import type { Channel, Line } from "./types.ts";

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
        const number = isNumber ? readTyped(typed.replace(",", ".")) : undefined;
        change(literal(number) === null ? typed : (number as Json));
      }}
    />
  );
}

/** `none`: what it is called that nothing is chosen. */
export function Choice({ id, path, value, change, schema, described, invalid, required, none = "—" }: ControlProps & { none?: string }): ReactNode {
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
      {(now === "" || schema["x-nullable"]) && <option value="">{now === "" && required ? t("Choose …") : none}</option>}
      {!known && <option value={String(now)}>{String(now)}</option>}
      {values.map((one) => (
        <option key={one} value={one}>
          {titles[one] ?? one}
        </option>
      ))}
    </select>
  );
}

/** The lines there are; a dot says how the chosen one is, in words where it does not send. */
export function LineChoice(props: ControlProps): ReactNode {
  const { store } = useEditor();
  const lines = useItems<Line>("/lines");
  const channels = useItems<Channel>("/channels");
  const states = useStates("line");
  if (lines?.length === 0 && !props.value) {
    return (
      <p className="form-hint">
        <a href={store.data.addresses["lines"] ?? "/lines"}>{t("Connect a line first")}</a>
      </p>
    );
  }
  const messenger = (line: Line): string => channels?.find((one) => one.kind === line.channel)?.title ?? line.channel;
  const named = (line: Line): string =>
    line.name.toLowerCase().includes(messenger(line).toLowerCase()) ? line.name : `${line.name} · ${messenger(line)}`;
  const told = (line: Line): string => `${named(line)}${line.state === "active" ? "" : ` · ${shownAs(states, line.state).text}`}`;
  const titles = Object.fromEntries((lines ?? []).map((line) => [line.name, told(line)]));
  const chosen = lines?.find((line) => line.name === props.value);
  return (
    <div className="with-dot">
      {chosen && <span className={`dot dot-${shownAs(states, chosen.state).tone}`} role="img" aria-label={shownAs(states, chosen.state).text} />}
      <Choice {...props} schema={{ ...props.schema, enum: Object.keys(titles), "x-titles": titles }} />
    </div>
  );
}

/** One of the messengers that lines can stand on. */
export function MessengerChoice(props: ControlProps): ReactNode {
  const channels = useItems<Channel>("/channels") ?? [];
  const titles = Object.fromEntries(channels.map((one) => [one.kind, one.title]));
  return <Choice {...props} none={t("that of the line")} schema={{ ...props.schema, enum: Object.keys(titles), "x-titles": titles }} />;
}

export function ScenarioChoice(props: ControlProps): ReactNode {
  const found = useItems<{ id: number; name: string }>("/scenarios");
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
