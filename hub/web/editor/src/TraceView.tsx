// How a run went: what would be sent by a dry one, the result, and every step with where its values came from.
import type { ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { Tree } from "./Examples.tsx";
import { Filled, fillsOfTrace, Reasons } from "./Filled.tsx";
import { useLabel } from "./labels.ts";
import { blockOf } from "./model.ts";
import { useStates, type States } from "./states.ts";
import { useStore } from "./store.ts";
import { spoken } from "./template.ts";
import { fieldTitles } from "./trace.ts";
import type { Input, Step, Trace } from "./types.ts";

const STATE_PATH = /^blocks\..+\.status$/;

export function TraceView(): ReactNode {
  const { store } = useEditor();
  const trace = useStore(store, (state) => state.trace);
  const selected = useStore(store, (state) => state.selected);
  const states = useStates("message");
  if (!trace) return null;
  const { steps } = trace;
  const inputs = steps.flatMap((step) => step.input ?? []);
  const chosen = selected.length === 1 ? steps.filter((step) => step.block === selected[0]) : [];
  return (
    <div data-testid="trace">
      {trace.planned && <h3>{t("What would be sent")}</h3>}
      {trace.planned?.length === 0 && <p className="quiet small">{t("No message.")}</p>}
      {trace.planned?.map((message, at) => <Planned key={at} message={message} inputs={inputs} />)}
      {trace.result !== null && trace.result !== undefined && (
        <>
          <h3>{t("Result")}</h3>
          {trace.planned && trace.planned.length > 0 && <p className="small quiet">{t("A test sends nothing: this is the result if every message is sent.")}</p>}
          <Tree value={trace.result} tell={tellStates(states, inputs)} />
        </>
      )}
      <h3>{t("Step by step")}</h3>
      <ol className="trace-list">
        {(chosen.length > 0 ? chosen : steps).map((step, at) => (
          <StepRow key={at} step={step} open={chosen.length > 0 || step.error !== null} />
        ))}
      </ol>
      {chosen.length > 0 && (
        <button type="button" className="btn btn-sm" onClick={() => store.set({ side: "inspector" })}>
          {t("Open the block")}
        </button>
      )}
    </div>
  );
}

/** A message that would go, with what is empty in it and why. */
function Planned({ message, inputs }: { message: NonNullable<Trace["planned"]>[number]; inputs: Input[] }): ReactNode {
  const written = inputs.find((input) => input.value === message.text && typeof input.template === "string");
  const fills = fillsOfTrace(written?.places ?? []);
  return (
    <div>
      <p className="small quiet">{t("{line} → {chat}", { line: message.line, chat: message.chat_id })}</p>
      <div className="bubble">{written ? <Filled template={String(written.template)} fills={fills} /> : message.text}</div>
      <Reasons fills={fills} />
    </div>
  );
}

/** States of messages in words: those that stand under their own name, and those that a text has taken from a block. */
function tellStates(states: States, inputs: Input[]): (name: string, text: string) => string | null {
  const taken = new Set(inputs.flatMap((input) => input.places.filter((place) => STATE_PATH.test(place.path)).map((place) => place.text)));
  return (name, text) => {
    const words = name === "status" || taken.has(text) ? states[text]?.text : undefined;
    return words ? `${words} (${text})` : null;
  };
}

function StepRow({ step, open }: { step: Step; open: boolean }): ReactNode {
  const { store } = useEditor();
  const label = useLabel();
  const states = useStates("message");
  const outputs = useStore(store, (state) => state.checked.blocks[step.block]?.outputs);
  const block = blockOf(store.doc, step.block);
  const port = store.portsOf(step.block).find((one) => one.id === step.port)?.title ?? step.port;
  const title = block ? block.title || store.types.get(block.type)?.title || block.id : step.block;
  const inputs = step.input ?? [];
  const places = inputs.flatMap((input) => input.places);
  const titles = block ? fieldTitles(inputs, block.config ?? {}, store.types.get(block.type)?.schema) : [];
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
          {step.port && step.port !== "next" ? ` → ${port}` : ""}
        </summary>
        {step.error && <p className="field-error">{step.error.message} <span className="mono">{step.error.code}</span></p>}
        {places.length > 0 && (
          <ul className="places">
            {places.map((place, at) => (
              <li key={at} className={place.text === "" ? "place-empty" : ""}>
                <strong title={place.path}>{label(place.path)}</strong>: {place.text || t("empty")}
                <span className="quiet small">{place.source ? ` · ${sourceOf(place.source)}` : ""}{place.missing ? ` · ${place.missing}` : ""}</span>
              </li>
            ))}
          </ul>
        )}
        {inputs.length > 0 && (
          <Part title={t("In")}>
            <ul className="tree">
              {inputs.map((input, at) => (
                <li key={at}>
                  <span className="tree-name">{titles[at] || spoken(`[${at}]`)}</span> <Tree value={input.value} tell={tellStates(states, inputs)} />
                </li>
              ))}
            </ul>
          </Part>
        )}
        {!failed && step.output !== null && step.output !== undefined && (
          <Part title={t("Out")}>
            <Tree value={step.output} titles={Object.fromEntries((outputs ?? []).map((one) => [one.name, one.title]))} tell={tellStates(states, inputs)} />
          </Part>
        )}
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

function Part({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <>
      <p className="small quiet part-title">{title}</p>
      {children}
    </>
  );
}
