// Before it goes live: what is wrong, what changed in words, and what kept requests would give now.
import { useEffect, useState, type ReactNode } from "react";
import { toast } from "page/toast";
import { t, tn } from "page/words";
import { api } from "./api.ts";
import { attempt, Icon, useEditor } from "./context.tsx";
import { Dialog } from "./Dialog.tsx";
import { spelled, useLabel } from "./labels.ts";
import { Changes } from "./Versions.tsx";
import type { Block } from "./model.ts";
import { useStore } from "./store.ts";
import type { Compared, Frequency, Problem } from "./types.ts";
import { Writes } from "./Writes.tsx";

const MOST_REMARKS = 5;

export function Publish({ close }: { close: () => void }): ReactNode {
  const { store, saver } = useEditor();
  const problems = useStore(store, (state) => state.checked.problems);
  const scenario = useStore(store, (state) => state.scenario);
  const example = useStore(store, (state) => state.example);
  const [isKept, setKept] = useState(false);
  const [compared, setCompared] = useState<Compared | null>(null);
  const [often, setOften] = useState<Frequency | null>(null);
  const [busy, setBusy] = useState(false);
  const errors = problems.filter((problem) => problem.severity === "error");
  const warnings = problems.filter((problem) => problem.severity !== "error");
  const messages = store.doc.blocks.filter((block) => block.type === "send_message");
  const live = scenario.published_version;
  const start = store.doc.blocks.find((block) => store.types.get(block.type)?.trigger);
  useEffect(() => {
    void saver.flush().then(setKept);
  }, [saver]);
  useEffect(() => {
    if (live === null || errors.length > 0) return;
    const body = { document: store.doc, limit: 50 };
    void attempt(async () => setCompared(await api<Compared>("POST", `/scenarios/${scenario.id}/compare`, body)));
  }, [scenario.id, live, errors.length, store]);
  useEffect(() => {
    if (isKept) void attempt(async () => setOften(await api<Frequency>("GET", `/scenarios/${scenario.id}/frequency`)));
  }, [scenario.id, isKept]);
  const go = async (): Promise<void> => {
    setBusy(true);
    await attempt(async () => {
      await saver.publish();
      if (store.state.saving.kind !== "saved") return;
      toast(t("Version {n} runs", { n: store.state.scenario.published_version ?? store.state.scenario.version }));
      close();
    }).finally(() => setBusy(false));
  };
  return (
    <Dialog title={t("Save and switch on")} close={close}>
      {errors.length > 0 ? (
        <Remarks problems={errors} tone="bad" title={tn("Fix {n} error first", "Fix {n} errors first", errors.length)} close={close} />
      ) : (
        <>
          <p>{told(live === null, start?.type === "bitrix24_event")}</p>
          <dl className="told">
            {start && <Told block={start} title={t("Starts by")} />}
            {often !== null && often.count > 0 && <Often often={often} />}
            {messages.map((block) => <Writes key={block.id} block={block} />)}
            <Quiet messages={messages} />
          </dl>
          {messages.length > 0 && <p className="small quiet">{example ? t("Filled with the example “{title}”.", { title: example.title }) : t("There is no example yet, so values are shown by their names.")}</p>}
        </>
      )}
      {warnings.length > 0 && (
        <Remarks problems={warnings} tone="wait" title={tn("{n} warning, not blocking", "{n} warnings, not blocking", warnings.length)} close={close} />
      )}
      {live !== null && isKept && live !== scenario.version && <Changes from={live} to={scenario.version} open />}
      {compared && <Comparison compared={compared} />}
      <div className="actions">
        <button type="button" className="btn btn-primary" disabled={busy || errors.length > 0} onClick={() => void go()}>
          {scenario.enabled ? t("Publish") : t("Save and switch on")}
        </button>
        <button type="button" className="btn" onClick={close}>{t("Not yet")}</button>
      </div>
    </Dialog>
  );
}

function told(isFirst: boolean, byCards: boolean): string {
  if (!isFirst) return t("New requests run the new version. Runs that wait stay on theirs.");
  return byCards ? t("From then on it writes to real customers as soon as a card fits.") : t("From then on every request starts this scenario.");
}

/** The first of what is wrong, and the way to the rest. */
function Remarks({ problems, tone, title, close }: { problems: Problem[]; tone: "bad" | "wait"; title: string; close: () => void }): ReactNode {
  const { store } = useEditor();
  return (
    <div className={`notice notice-${tone}`} role={tone === "bad" ? "alert" : undefined}>
      <Icon name="alert-triangle" />
      <div>
        {title}
        <ul>{problems.slice(0, MOST_REMARKS).map((problem, at) => <li key={at}>{problem.message}</li>)}</ul>
        <button type="button" className="btn btn-sm" onClick={() => { close(); store.set({ side: "problems" }); }}>{t("Show them")}</button>
      </div>
    </div>
  );
}

/** What a block does, in its own words. */
function Told({ block, title }: { block: Block; title: string }): ReactNode {
  const { store } = useEditor();
  const label = useLabel();
  const drawn = useStore(store, (state) => state.checked.blocks[block.id]);
  return (
    <>
      <dt>{title}</dt>
      <dd>{spelled(drawn?.summary || drawn?.title || "", label)}</dd>
    </>
  );
}

/** What was kept of the last days, as what is to be expected. */
function Often({ often: { count, days } }: { often: Frequency }): ReactNode {
  const daily = count / days;
  const expected =
    daily >= 1 ? tn("≈ {n} time a day", "≈ {n} times a day", Math.round(daily)) : tn("≈ {n} time a week", "≈ {n} times a week", Math.round(daily * 7));
  const counted = days === 1 ? t("{n} in the last 24 hours", { n: count }) : tn("{count} in the last {n} day", "{count} in the last {n} days", days, { count });
  return (
    <>
      <dt>{t("How often")}</dt>
      <dd>{expected} <span className="quiet small">({counted})</span></dd>
    </>
  );
}

/** The hours in which its messages wait. */
function Quiet({ messages }: { messages: Block[] }): ReactNode {
  const { store } = useEditor();
  const hours = messages.flatMap(({ config }) => (config?.["any_time"] === true ? [] : [config?.["quiet_hours"] ?? store.data.quiet_hours]));
  const shown = new Set(hours.flatMap((one) => (one && typeof one === "object" && "from" in one ? [`${one["from"]}–${one["to"]}`] : [])));
  if (shown.size === 0) return null;
  return (
    <>
      <dt>{t("Quiet hours")}</dt>
      <dd>{t("{hours}: messages wait until they are over", { hours: [...shown].join(", ") })}</dd>
    </>
  );
}

function Comparison({ compared }: { compared: Compared }): ReactNode {
  if (compared.count === 0) return null;
  const differing = compared.items.filter((one) => one.before.join("\n") !== one.after.join("\n") || one.status_before !== one.status_after);
  return (
    <section aria-label={t("Kept requests")}>
      <p><strong>{tn("{changed} of {n} kept request would give something else", "{changed} of {n} kept requests would give something else", compared.count, { changed: compared.changed })}</strong></p>
      {differing.slice(0, 3).map((one) => (
        <div className="compared" key={one.request}>
          <p className="small quiet">{one.title}</p>
          <del>{one.before.join("\n") || t("no message")}</del>
          <ins>{one.after.join("\n") || t("no message")}</ins>
        </div>
      ))}
    </section>
  );
}
