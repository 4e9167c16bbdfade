// One block as a form: its name, its fields from its schema, where its exits lead, its note.
import type { ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { ObjectFields } from "./fields.tsx";
import { CardChoice, StartHelp } from "./StartHelp.tsx";
import { change, connect, linkAt, remove, type Block, type Config } from "./model.ts";
import { useStore } from "./store.ts";

export function Inspector({ block }: { block: Block }): ReactNode {
  const { store } = useEditor();
  const type = store.types.get(block.type);
  const problems = useStore(store, (state) => state.checked.problems);
  const isEvent = block.type === "bitrix24_event"; // what is chosen there says of which cards the last ones are shown
  const general = problems.filter((problem) => problem.block === block.id && (problem.path === null || !isField(problem.path)));
  function isField(path: string): boolean {
    return Object.keys(type?.schema.properties ?? {}).some((name) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`));
  }
  return (
    <>
      {type && <p className="quiet small">{type.about}</p>}
      {general.map((problem, at) => (
        <p className="field-error" key={at}>
          <Icon name="alert-triangle" />
          {problem.message}
        </p>
      ))}
      {type?.trigger && !isEvent && <StartHelp block={block} />}
      {type ? (
        <ObjectFields
          block={block.id}
          path=""
          schema={type.schema}
          value={(block.config ?? {}) as Config}
          change={(config) => store.configure(block.id, config, changedKey(block.config ?? {}, config))}
        />
      ) : (
        <p className="field-error">{t("This installation does not know blocks of the kind “{type}”.", { type: block.type })}</p>
      )}
      {isEvent && <CardChoice />}
      <Exits block={block} />
      <details className="more-fields">
        <summary>{t("Name and note")}</summary>
        <div className="field">
          <label className="form-label" htmlFor="block-title">{t("Name of the block")}</label>
          <input id="block-title" className="form-control" value={block.title ?? ""} placeholder={type?.title} maxLength={200} readOnly={!store.canEdit}
            onChange={(event) => store.edit((doc) => change(doc, block.id, { title: event.target.value }), `${block.id} title`)} />
          <p className="form-hint">{t("In texts it is called {id}", { id: `blocks.${block.id}` })}</p>
        </div>
        <div className="field">
          <label className="form-label" htmlFor="block-note">{t("Note")}</label>
          <textarea id="block-note" className="form-control" rows={3} value={block.note ?? ""} maxLength={4000} readOnly={!store.canEdit}
            onChange={(event) => store.edit((doc) => change(doc, block.id, { note: event.target.value }), `${block.id} note`)} />
        </div>
      </details>
      {store.canEdit && (
        <button type="button" className="btn btn-sm btn-remove" onClick={() => store.edit((doc) => remove(doc, [block.id]))}>
          <Icon name="trash" />
          {t("Delete the block")}
        </button>
      )}
    </>
  );
}

/** The field that changed, so that typing in one field is one step of undo. */
function changedKey(before: Config, after: Config): string {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => before[name] !== after[name]).join(" ");
}

function Exits({ block }: { block: Block }): ReactNode {
  const { store, add } = useEditor();
  const doc = useStore(store, (state) => state.history.present);
  useStore(store, (state) => state.checked);
  const ports = store.portsOf(block.id);
  const others = doc.blocks.filter((one) => one.id !== block.id && !store.types.get(one.type)?.trigger);
  if (ports.length === 0) return null;
  return (
    <fieldset className="field field-group" disabled={!store.canEdit}>
      <legend className="form-label">{t("Where it goes on")}</legend>
      {ports.map((port) => (
        <div className="exit-row" key={port.id}>
          <label htmlFor={`exit-${port.id}`}>{port.title}</label>
          <select id={`exit-${port.id}`} className="form-select" value={linkAt(doc, { from: block.id, port: port.id })?.to ?? ""}
            onChange={(event) => {
              if (event.target.value === "+") return add({ from: block.id, port: port.id });
              store.edit((now) => connect(now, { from: block.id, port: port.id }, event.target.value || null));
            }}>
            <option value="">{t("ends here")}</option>
            {others.map((one) => (
              <option key={one.id} value={one.id}>
                {one.title || store.types.get(one.type)?.title || one.type} ({one.id})
              </option>
            ))}
            <option value="+">{t("a new block …")}</option>
          </select>
        </div>
      ))}
    </fieldset>
  );
}
