// Name, the state in one line, and the buttons that concern the whole scenario.
import { useEffect, useRef, useState, type ReactNode } from "react";
import { toast } from "page/toast";
import { t, tn } from "page/words";
import { api } from "./api.ts";
import { attempt, Icon, moment, useEditor } from "./context.tsx";
import { goTo } from "./going.ts";
import { useStore, type Side, type State } from "./store.ts";
import type { Scenario } from "./types.ts";

export function Header(): ReactNode {
  const { store, publish } = useEditor();
  const name = useStore(store, (state) => state.history.present.name);
  const problems = useStore(store, (state) => state.checked.problems);
  const side = useStore(store, (state) => state.side);
  const enabled = useStore(store, (state) => state.scenario.enabled);
  const canUndo = useStore(store, (state) => state.history.past.length > 0);
  const canRedo = useStore(store, (state) => state.history.future.length > 0);
  const editors = useStore(store, (state) => state.live?.editors);
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const others = (editors ?? []).filter((one) => one !== store.data.me.name);
  const show = (wanted: Side) => () => store.set({ side: side === wanted ? null : wanted });
  return (
    <header className="editor-head">
      <a className="btn btn-icon" href={store.data.addresses["scenarios"] ?? "/scenarios"} aria-label={t("All scenarios")}>
        <Icon name="arrow-left" />
      </a>
      <div className="editor-names">
        <h1 className="visually-hidden">{name}</h1>
        <input
          className="editor-name"
          value={name}
          maxLength={100}
          readOnly={!store.canEdit}
          aria-label={t("Name of the scenario")}
          onChange={(event) => store.edit((doc) => ({ ...doc, name: event.target.value }), "name")}
        />
        <StateLine />
      </div>
      {others.length > 0 && <span className="state state-wait">{t("{names} edits too", { names: others.join(", ") })}</span>}
      <div className="editor-actions">
        {problems.length > 0 && (
          <button type="button" className={`btn btn-sm ${errors ? "btn-bad" : "btn-wait"}`} aria-expanded={side === "problems"} onClick={show("problems")}>
            <Icon name="alert-triangle" />
            <span className="fold">{tn("{n} problem", "{n} problems", problems.length)}</span>
            <span className="unfold" aria-hidden="true">{problems.length}</span>
          </button>
        )}
        {store.canEdit && (
          <span className="editor-steps">
            <button type="button" className="btn btn-icon" disabled={!canUndo} aria-label={t("Undo")} onClick={() => store.undo()}>
              <Icon name="arrow-back-up" />
            </button>
            <button type="button" className="btn btn-icon" disabled={!canRedo} aria-label={t("Redo")} onClick={() => store.redo()}>
              <Icon name="arrow-forward-up" />
            </button>
          </span>
        )}
        <More />
        <button type="button" className="btn" aria-expanded={side === "test"} onClick={show("test")}>
          <Icon name="player-play" />
          <span className="fold-small">{t("Test")}</span>
        </button>
        {store.canEdit && (
          <button type="button" className="btn btn-primary" onClick={publish}>
            <span className="wide">{t("Save and switch on")}</span>
            <span className="narrow">{enabled ? t("Publish") : t("Switch on")}</span>
          </button>
        )}
      </div>
    </header>
  );
}

function StateLine(): ReactNode {
  const { store } = useEditor();
  const saving = useStore(store, (state) => state.saving);
  const scenario = useStore(store, (state) => state.scenario);
  const live = useStore(store, (state) => state.live);
  const text = [savingText(saving, scenario), runningText(scenario, live)].filter(Boolean).join(" · ");
  return (
    <p className={`editor-state editor-state-${saving.kind}`} role="status">
      {text}
    </p>
  );
}

function savingText(saving: State["saving"], scenario: Scenario): string {
  if (saving.kind === "dirty") return t("Draft · not saved");
  if (saving.kind === "saving") return t("Saving …");
  if (saving.kind === "refused") return t("Not saved: {why}", { why: saving.message });
  if (saving.kind === "offline") return t("Not saved: no connection. It will be tried again.");
  if (saving.kind === "signed_out") return t("Not saved: you are signed out");
  if (saving.kind === "conflict") return t("Not saved: somebody else has changed it");
  return t("Saved {time}", { time: moment(saving.at ?? scenario.updated_at) });
}

function runningText(scenario: Scenario, live: State["live"]): string {
  const version = scenario.published_version;
  if (!scenario.enabled) {
    const taken = live?.accepted_24h ?? 0;
    return taken > 0 ? t("switched off, {n} accepted in 24 h", { n: taken }) : t("switched off");
  }
  if (version === null) return t("nothing runs yet");
  return scenario.published ? t("v{n} runs", { n: version }) : t("v{n} runs, this is a draft", { n: version });
}

function More(): ReactNode {
  const { store, saver } = useEditor();
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const scenario = useStore(store, (state) => state.scenario);
  useEffect(() => {
    if (!open) return;
    const close = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !place.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, [open]);
  const act = (what: () => void) => () => {
    setOpen(false);
    what();
  };
  const switchOff = (): Promise<void> =>
    attempt(async () => {
      const made = await api<Scenario>("PATCH", `/scenarios/${scenario.id}`, { enabled: false });
      store.set({ scenario: made });
      toast(t("Switched off. Requests are kept."));
    });
  const exported = (): Promise<void> =>
    attempt(async () => {
      await saver.flush();
      const yaml = await api<string>("GET", `/scenarios/${scenario.id}/document?format=yaml`);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([yaml], { type: "application/yaml" }));
      link.download = `${store.doc.name}.yaml`;
      link.click();
      window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  const duplicated = (): Promise<void> =>
    attempt(async () => {
      if (!(await saver.flush())) return; // the line of state says why
      const made = await api<Scenario>("POST", `/scenarios/${scenario.id}/duplicate`);
      goTo(`/scenarios/${made.id}`, store.data.frame);
    });
  const imported = (file: File | undefined): Promise<void> =>
    attempt(async () => {
      if (!file) return;
      await saver.take(await file.text());
      toast(t("Taken from the file"), { action: () => store.undo(), label: t("Undo") });
    });
  return (
    <div className="more" ref={place}>
      <button type="button" className="btn btn-icon" aria-label={t("More")} aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="dots" />
      </button>
      {open && (
        <div className="more-list">
          {store.canEdit && (
            <div className="more-steps">
              <button type="button" disabled={store.state.history.past.length === 0} onClick={act(() => store.undo())}>
                <Icon name="arrow-back-up" />
                {t("Undo")}
              </button>
              <button type="button" disabled={store.state.history.future.length === 0} onClick={act(() => store.redo())}>
                <Icon name="arrow-forward-up" />
                {t("Redo")}
              </button>
            </div>
          )}
          <button type="button" onClick={act(() => store.set({ side: "versions" }))}>
            <Icon name="history" />
            {t("Versions")}
          </button>
          <button type="button" onClick={act(() => store.set({ side: "links" }))}>
            <Icon name="link" />
            {t("Links")}
          </button>
          {store.canEdit && (
            <button type="button" onClick={act(() => void duplicated())}>
              <Icon name="copy-plus" />
              {t("Duplicate the scenario")}
            </button>
          )}
          <button type="button" onClick={act(() => void exported())}>
            <Icon name="download" />
            {t("Export as YAML")}
          </button>
          {store.canEdit && (
            <label className="more-file">
              <Icon name="upload" />
              {t("Import from YAML")}
              <input
                type="file"
                className="visually-hidden"
                accept=".yaml,.yml,.json,application/yaml,application/json"
                onChange={(event) => {
                  setOpen(false);
                  void imported(event.target.files?.[0]);
                }}
              />
            </label>
          )}
          {store.canEdit && scenario.enabled && (
            <button type="button" onClick={act(() => void switchOff())}>
              <Icon name="player-pause" />
              {t("Switch off")}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
