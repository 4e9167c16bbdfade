// Ways to try the scenario out: on an example, on the next real request, and with messages that really go, to oneself.
import { useState, type ReactNode } from "react";
import { t } from "page/words";
import { attempt, Icon, useEditor } from "./context.tsx";
import { Awaited } from "./Awaited.tsx";
import { ExampleChoice } from "./Examples.tsx";
import { dryRun, givenOf, type Given } from "./examples.ts";
import { readJson, readTyped } from "./json.ts";
import type { Json } from "./model.ts";
import { Waiting } from "./StartHelp.tsx";
import { Tabs } from "./Tabs.tsx";
import { ToMe } from "./ToMe.tsx";
import { TraceView } from "./TraceView.tsx";
import { useStore } from "./store.ts";

type Way = "dry" | "wait" | "me";

export function TestPane(): ReactNode {
  const { store } = useEditor();
  const [way, setWay] = useState<Way>("dry");
  const tabs = [{ name: "dry" as Way, title: t("On an example") }];
  if (store.canEdit) tabs.push({ name: "wait", title: t("Wait for a real one") }, { name: "me", title: t("Send to me") });
  return (
    <Tabs label={t("Ways to test")} tabs={tabs} chosen={way} choose={setWay}>
      {way !== "me" && <p className="notice notice-info small">{t("A test: nothing is sent, nothing is changed, pauses are skipped.")}</p>}
      {way === "wait" ? <Awaited /> : <OnExample way={way} />}
    </Tabs>
  );
}

function OnExample({ way }: { way: Way }): ReactNode {
  const { store } = useEditor();
  const example = useStore(store, (state) => state.example);
  const examples = useStore(store, (state) => state.examples);
  const [byHand, setByHand] = useState(false);
  const [typed, setTyped] = useState('{"name": "Anna"}');
  const [running, setRunning] = useState(false);
  const given = (): Given => {
    if (byHand) return { body: readJson(typed) as Json };
    return example ? givenOf(example) : { body: {} };
  };
  const run = async (): Promise<void> => {
    setRunning(true);
    await attempt(() => dryRun(store, given())).finally(() => setRunning(false));
  };
  const isJson = readTyped(typed) !== undefined;
  return (
    <>
      {!byHand && (examples?.length === 0 ? <Waiting /> : <ExampleChoice />)}
      {store.canEdit && (
        <label className="form-check by-hand">
          <input type="checkbox" className="form-check-input" checked={byHand} onChange={(event) => setByHand(event.target.checked)} />
          <span className="form-check-label">{t("Write the example by hand")}</span>
        </label>
      )}
      {byHand && (
        <>
          <textarea className="form-control mono" rows={6} value={typed} aria-label={t("The example as JSON")} aria-invalid={!isJson} onChange={(event) => setTyped(event.target.value)} />
          {!isJson && <p className="field-error">{t("This is not valid JSON yet.")}</p>}
        </>
      )}
      {way === "me" && <ToMe given={given} disabled={byHand && !isJson} />}
      {way === "dry" && (
        <div className="actions">
          <button type="button" className="btn btn-primary" disabled={!store.canEdit || running || (byHand && !isJson)} onClick={() => void run()}>
            <Icon name="player-play" />
            {running ? t("Running …") : t("Run the test")}
          </button>
        </div>
      )}
      {!store.canEdit && <p className="small quiet">{t("Editors and administrators run tests; you may look on.")}</p>}
      {way === "dry" && <TraceView />}
    </>
  );
}
