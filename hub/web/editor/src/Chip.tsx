// What a chip shows when its value is empty, and in which form it shows the value: changed by a click on it.
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { t } from "page/words";
import { FORMS } from "./forms.ts";
import { defaultOf, placeOf, withDefault, type Part } from "./template.ts";

type Place = Extract<Part, { kind: "place" }>;
type Props = {
  place: Place;
  label: string;
  /** The place anew, as it is written in the text; an empty text takes it away. */
  save: (text: string) => void;
  close: () => void;
};
export function ChipEditor({ place, label, save, close }: Props): ReactNode {
  const id = useId();
  const first = useRef<HTMLInputElement>(null);
  const { text, others } = defaultOf(place.filters);
  const [empty, setEmpty] = useState(text ?? "");
  const [form, setForm] = useState(others);
  useEffect(() => first.current?.focus(), []);
  const forms = FORMS();
  const done = (): void => save(placeOf(place.path, withDefault(form, empty)));
  return (
    <div
      className="chip-editor"
      role="group"
      aria-label={t("How “{name}” is shown", { name: label })}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
        else if (event.key === "Enter" && event.target === first.current) done();
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <p className="chip-editor-head">{label}</p>
      <label className="form-label" htmlFor={`${id}-empty`}>{t("If it is empty")}</label>
      <input id={`${id}-empty`} ref={first} className="form-control" value={empty} placeholder={t("nothing")} onChange={(event) => setEmpty(event.target.value)} />
      <label className="form-label" htmlFor={`${id}-form`}>{t("Show it")}</label>
      <select id={`${id}-form`} className="form-select" value={form} onChange={(event) => setForm(event.target.value)}>
        {!forms.some(([name]) => name === form) && <option value={form}>{form}</option>}
        {forms.map(([name, title]) => <option key={name} value={name}>{title}</option>)}
      </select>
      <div className="actions">
        <button type="button" className="btn btn-sm btn-primary" onClick={done}>{t("Done")}</button>
        <button type="button" className="btn btn-sm" onClick={() => save("")}>{t("Take it away")}</button>
        <button type="button" className="btn btn-sm" onClick={close}>{t("Cancel")}</button>
      </div>
    </div>
  );
}
