// A dry run on an example, drawn on the blocks: what went in and out, where every value came from, what would be sent.
import { useState, type ReactNode } from "react";
import { t } from "page/words";
import { api } from "./api.ts";
import { attempt, Icon, useEditor } from "./context.tsx";
import { ExampleChoice, Tree } from "./Examples.tsx";
import { readJson, readTyped } from "./json.ts";
import { blockOf, type Json } from "./model.ts";
import { Waiting } from "./StartHelp.tsx";
import { Tabs } from "./Tabs.tsx";
import { ToMe } from "./ToMe.tsx";
import { spoken } from "./template.ts";
import { useStore } from "./store.ts";
import type { Step, Trace } from "./types.ts";

export function TestPane(): ReactNode {
  const { store } = useEditor();
  const example = useStore(store, (state) => state.example);
  const examples = useStore(store, (state) => state.examples);
  const trace = useStore(store, (state) => state.trace);
  const selected = useStore(store, (state) => state.selected);
  const [way, setWay] = useState<"dry" | "me">("dry");
  const [byHand, setByHand] = useState(false);
  const [typed, setTyped] = useState('{"name": "Anna"}');
  const [running, setRunning] = useState(false);
  const given = (): Record<string, Json> => {
    if (byHand) return { body: readJson(typed) as Json };
    if (!example) return { body: {} };
    return example.kind === "card" ? { body: example.event } : { example: example.id };
  };
  const run = async (): Promise<void> => {
    setRunning(true);
    await attempt(async () => {
      const found = await api<Trace>("POST", `/scenarios/${store.state.scenario.id}/test`, { document: store.doc, ...given() });
      store.set({ trace: found });
    }).finally(() => setRunning(false));
  };
  const isJson = readTyped(typed) !== undefined;
  const steps = trace?.steps ?? [];
  const chosen = selected.length === 1 ? steps.filter((step) => step.block === selected[0]) : [];
  return (
    <Tabs
      label={t("Ways to test")}
      tabs={[{ name: "dry", title: t("On an example") }, ...(store.canEdit ? [{ name: "me" as const, title: t("Send to me") }] : [])]}
      chosen={way}
      choose={setWay}
    >
      {way === "dry" && <p className="notice notice-info small">{t("A test: nothing is sent, nothing is changed, pauses are skipped.")}</p>}
      {!byHand && (examples?.length === 0 ? <Waiting /> : <ExampleChoice />)}
      <label className="form-check by-hand">
        <input type="checkbox" className="form-check-input" checked={byHand} onChange={(event) => setByHand(event.target.checked)} />
        <span className="form-check-label">{t("Write the example by hand")}</span>
      </label>
      {byHand && (
        <>
          <textarea className="form-control mono" rows={6} value={typed} aria-label={t("The example as JSON")} aria-invalid={!isJson} onChange={(event) => setTyped(event.target.value)} />
          {!isJson && <p className="field-error">{t("This is no JSON yet.")}</p>}
        </>
      )}
      {way === "me" && <ToMe given={given} disabled={byHand && !isJson} />}
      {way === "dry" && (
        <div className="actions">
          <button type="button" className="btn btn-primary" disabled={running || (byHand && !isJson)} onClick={() => void run()}>
            <Icon name="player-play" />
            {running ? t("Running …") : t("Run the test")}
          </button>
        </div>
      )}
      {way === "dry" && trace && (
        <div data-testid="trace">
          <h3>{t("What would be sent")}</h3>
          {trace.planned.length === 0 && <p className="quiet small">{t("No message.")}</p>}
          {trace.planned.map((message, at) => (
            <div key={at}>
              <p className="small quiet">{t("{line} → {chat}", { line: message.line, chat: message.chat_id })}</p>
              <div className="bubble">{message.text}</div>
            </div>
          ))}
          {trace.result !== null && trace.result !== undefined && (
            <>
              <h3>{t("Result")}</h3>
              <Tree value={trace.result} />
            </>
          )}
          <h3>{t("Step by step")}</h3>
          <ol className="trace-list">
            {(chosen.length > 0 ? chosen : steps).map((step, at) => (
              <StepRow key={at} step={step} open={chosen.length > 0 || step.error !== null} />
            ))}
          </ol>
        </div>
      )}
    </Tabs>
  );
}

function StepRow({ step, open }: { step: Step; open: boolean }): ReactNode {
  const { store } = useEditor();
  const block = blockOf(store.doc, step.block);
  const title = block ? block.title || store.types.get(block.type)?.title || block.id : step.block;
  const inputs = step.input ?? [];
  const places = inputs.flatMap((input) => input.places);
  const failed = step.error !== null;
  return (
    <li>
      <details open={open}>
        <summary>
          <span className={failed ? "bad" : "good"}>
            <Icon name={failed ? "circle-x" : "circle-check"} />
            <span className="visually-hidden">{failed ? t("failed") : t("done")}</span>
          </span>
          {title}
          {step.port && step.port !== "next" ? ` → ${step.port}` : ""}
        </summary>
        {step.error && <p className="field-error">{step.error.message} <span className="mono">{step.error.code}</span></p>}
        {places.length > 0 && (
          <ul className="places">
            {places.map((place, at) => (
              <li key={at} className={place.text === "" ? "place-empty" : ""}>
                <strong>{spoken(place.path)}</strong>: {place.text || t("empty")}
                <span className="quiet small">{place.source ? ` · ${sourceOf(place.source)}` : ""}{place.missing ? ` · ${place.missing}` : ""}</span>
              </li>
            ))}
          </ul>
        )}
        {inputs.length > 0 && <Part title={t("In")} value={inputs.map((input) => input.value)} />}
        {step.output !== null && step.output !== undefined && <Part title={t("Out")} value={step.output} />}
      </details>
    </li>
  );
}

/** Where a value came from, in words. */
function sourceOf(source: string): string {
  const words: Record<string, string> = {
    body: t("from the body of the request"),
    query: t("from the link"),
    local: t("a variable"),
    global: t("a global variable"),
    const: t("a constant"),
    system: t("known by itself"),
    bitrix: t("from the card"),
    blocks: t("result of a block"),
  };
  return words[source] ?? source;
}

function Part({ title, value }: { title: string; value: Json }): ReactNode {
  return (
    <>
      <p className="small quiet part-title">{title}</p>
      <Tree value={value} />
    </>
  );
}
