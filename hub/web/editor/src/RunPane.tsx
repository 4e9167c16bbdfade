// A run of the journal, drawn on the blocks: how it went, and trying what is drawn now on what it began with.
import type { ReactNode } from "react";
import { t } from "page/words";
import { attempt, Icon, moment, useEditor } from "./context.tsx";
import { dryRun, givenOf } from "./examples.ts";
import { TraceView } from "./TraceView.tsx";
import { useStore } from "./store.ts";
import type { Example } from "./types.ts";

export function RunPane(): ReactNode {
  const { store } = useEditor();
  const trace = useStore(store, (state) => state.trace);
  const { run, version } = store.data;
  if (!run) return null;
  const { id, created_at, error } = run.trace;
  const { example } = run;
  const test = (of: Example): void => {
    store.set({ side: "test", example: of, trace: null });
    void attempt(() => dryRun(store, givenOf(of)));
  };
  return (
    <>
      <p className="small quiet">{t("Run of {time}, version {n}", { time: moment(created_at), n: run.trace.version })}</p>
      {error && <p className="notice notice-bad small"><span>{error.message} <span className="mono">{error.code}</span></span></p>}
      {run.trace.version !== version && <p className="small">{t("The drawing is newer: version {n}.", { n: version })}</p>}
      <div className="actions">
        {store.canEdit && example && (
          <button type="button" className="btn" onClick={() => test(example)}>
            <Icon name="player-play" />
            {t("Test on its request")}
          </button>
        )}
        <a className="btn" href={`${store.data.addresses["journal"] ?? "/journal"}/runs/${id}`}>{t("In the journal")}</a>
      </div>
      {trace && <TraceView />}
    </>
  );
}
