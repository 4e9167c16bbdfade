// Below a start block's name: its links, what has arrived, and the example that all fields show.
import type { ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { ExampleChoice, ExampleTree } from "./Examples.tsx";
import { LinkList } from "./Links.tsx";
import type { Block } from "./model.ts";
import { useStore } from "./store.ts";

export function StartHelp({ block }: { block: Block }): ReactNode {
  const { store } = useEditor();
  const examples = useStore(store, (state) => state.examples);
  return (
    <>
      {block.type === "incoming_webhook" && <LinkList />}
      {examples?.length === 0 && block.type === "incoming_webhook" && <Waiting />}
      {examples && examples.length > 0 && (
        <section className="field" aria-label={t("Example")}>
          <ExampleChoice />
          <ExampleTree />
        </section>
      )}
    </>
  );
}

/** The cards that came to the stage last: the one chosen shows its values in every field. */
export function CardChoice(): ReactNode {
  const { store } = useEditor();
  const examples = useStore(store, (state) => state.examples);
  const example = useStore(store, (state) => state.example);
  const cards = (examples ?? []).filter((one) => one.kind === "card");
  if (examples === null) return <p className="quiet small">{t("Loading …")}</p>;
  if (cards.length === 0) return <p className="form-hint">{t("There are no cards to show as an example now.")}</p>;
  return (
    <fieldset className="field field-group">
      <legend className="form-label">{t("Last cards as examples")}</legend>
      {cards.map((one) => (
        <label className="form-check" key={one.id}>
          <input type="radio" className="form-check-input" name="card" checked={example?.id === one.id} onChange={() => store.set({ example: one, trace: null })} />
          <span className="form-check-label">{one.title} <span className="quiet small">№ {one.id.split(":")[1]}</span></span>
        </label>
      ))}
      <ExampleTree />
    </fieldset>
  );
}

export function Waiting(): ReactNode {
  const { store } = useEditor();
  const link = useStore(store, (state) => state.scenario.links?.token_only);
  return (
    <div className="waiting-box" role="status">
      <Icon name="antenna" />
      <div>
        <strong>{t("Waiting for the first request …")}</strong>
        <p className="small">{t("Send the form once, or call the link. What comes is shown here at once.")}</p>
        {link && <code className="small">{`curl -H 'Content-Type: application/json' -d '{"Name":"Anna","Phone":"79991234567"}' '${link}'`}</code>}
      </div>
    </div>
  );
}
