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

export function Waiting(): ReactNode {
  const { store } = useEditor();
  const link = useStore(store, (state) => state.scenario.links?.token_only);
  return (
    <div className="waiting-box" role="status">
      <Icon name="antenna" />
      <div>
        <strong>{t("Waiting for the first request …")}</strong>
        <p className="small">{t("Send the form once, or call the link. What comes is shown here at once.")}</p>
        {link && <code className="small">{`curl -H 'Content-Type: application/json' -d '{"name":"Anna"}' '${link}'`}</code>}
      </div>
    </div>
  );
}
