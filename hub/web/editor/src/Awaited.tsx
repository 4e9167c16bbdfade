// “Wait for a real one”: the next request at the link becomes the example the moment it lands, and runs dry at once.
import { useEffect, useState, type ReactNode } from "react";
import { t } from "page/words";
import { ApiError } from "./api.ts";
import { Icon, moment, useEditor } from "./context.tsx";
import { ExampleTree } from "./Examples.tsx";
import { awaitRequest, dryRun } from "./examples.ts";
import { LinkList } from "./Links.tsx";
import { useStore } from "./store.ts";
import { TraceView } from "./TraceView.tsx";
import type { Example } from "./types.ts";

export function Awaited(): ReactNode {
  const { store } = useEditor();
  const links = useStore(store, (state) => state.scenario.links);
  const runs = useStore(store, (state) => state.scenario.enabled && state.scenario.published_version !== null);
  const [came, setCame] = useState<Example | null>(null);
  const [said, setSaid] = useState("");
  const [refusal, setRefusal] = useState("");
  useEffect(() => (came ? undefined : awaitRequest(store, setCame, setSaid)), [store, came]);
  useEffect(() => {
    if (!came) return;
    dryRun(store, { example: came.id }).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      setRefusal(error.message);
    });
  }, [store, came]);
  const again = (): void => {
    setRefusal("");
    setCame(null);
  };
  if (came) {
    return (
      <div data-testid="awaited">
        <p role="status">
          <Icon name="circle-check" /> <strong>{t("Received")}</strong>: {came.title}{came.at && ` · ${moment(came.at)}`}
        </p>
        <ExampleTree />
        {refusal && <p className="field-error" role="alert"><Icon name="alert-triangle" />{refusal}</p>}
        <div className="actions">
          <button type="button" className="btn btn-sm" onClick={again}>
            <Icon name="antenna" />
            {t("Wait for the next one")}
          </button>
        </div>
        <TraceView />
      </div>
    );
  }
  return (
    <>
      <div className="waiting-box" role="status">
        <Icon name="antenna" />
        <div>
          <strong>{t("Waiting for the next request …")}</strong>
          <p className="small">
            {links ? t("Send the form once, or call the link: however long it takes, what comes is shown here at once.") : t("Do in Bitrix24 what starts the scenario: however long it takes, what comes is shown here at once.")}
            {" "}
            {runs ? t("The scenario is switched on, so it really runs as well.") : t("The scenario does not run yet: what comes is kept and tried here, and nothing is sent.")}
          </p>
          {said && <p className="small">{said}</p>}
        </div>
      </div>
      <LinkList />
    </>
  );
}
