// All versions, what each changed in words, and one click to bring one back.
import { useEffect, useState, type ReactNode } from "react";
import { toast } from "page/toast";
import { t } from "page/words";
import { api } from "./api.ts";
import { attempt, moment, useEditor } from "./context.tsx";
import { useStore } from "./store.ts";
import type { Version } from "./types.ts";

export function Versions(): ReactNode {
  const { store, saver } = useEditor();
  const scenario = useStore(store, (state) => state.scenario);
  const [versions, setVersions] = useState<Version[] | null>(null);
  useEffect(() => {
    void attempt(async () => setVersions((await api<{ items: Version[] }>("GET", `/scenarios/${scenario.id}/versions`)).items));
  }, [scenario.id, scenario.revision]);
  const restore = (n: number): Promise<void> =>
    attempt(async () => {
      if (!(await saver.flush())) return;
      const before = store.state.scenario.published_version;
      await api("POST", `/scenarios/${scenario.id}/versions/${n}/restore`);
      await saver.reload();
      const undo = before === null ? {} : { action: () => void restore(before), label: t("Undo") };
      toast(t("Version {n} is back, as a new one", { n }), undo);
    });
  const runs = scenario.published_version ?? scenario.version;
  if (!versions) return <p className="quiet">{t("Loading …")}</p>;
  return (
    <ol className="versions">
      {versions.map((one, at) => (
        <li key={one.version}>
          <div className="version-head">
            <strong>{t("Version {n}", { n: one.version })}</strong>
            {one.version === scenario.published_version && <span className="state state-ok">{scenario.enabled ? t("runs") : t("switched off")}</span>}
            <span className="quiet small">{moment(one.created_at)}{one.by ? ` · ${one.by}` : ""}</span>
          </div>
          {one.note && <p className="small">{one.note}</p>}
          {versions[at + 1] && <Changes from={versions[at + 1]!.version} to={one.version} />}
          {store.canEdit && at > 0 && (
            <>
              {runs !== one.version && <Changes key={runs} from={runs} to={one.version} title={t("What bringing it back changes")} />}
              <button type="button" className="btn btn-sm" onClick={() => void restore(one.version)}>
                {t("Bring back v{n}", { n: one.version })}
              </button>
            </>
          )}
        </li>
      ))}
    </ol>
  );
}

/** What changed between two versions, asked for when it is opened. */
export function Changes({ from, to, title, open = false }: { from: number; to: number; title?: string; open?: boolean }): ReactNode {
  const { store } = useEditor();
  const [changes, setChanges] = useState<string[] | null>(null);
  const load = (): void => {
    if (changes !== null) return;
    const address = `/scenarios/${store.state.scenario.id}/versions/${from}/diff/${to}`;
    void attempt(async () => setChanges((await api<{ changes: (string | { text: string })[] }>("GET", address)).changes.map(sentence)));
  };
  useEffect(() => {
    if (open) load();
  }, [from, to, open]);
  return (
    <details className="changes" open={open} onToggle={(event) => event.currentTarget.open && load()}>
      <summary>{title ?? t("What changed since v{n}", { n: from })}</summary>
      {changes?.length === 0 && <p className="quiet small">{t("Nothing but the places of blocks.")}</p>}
      <ul className="small">{changes?.map((one, at) => <li key={at}>{one}</li>)}</ul>
    </details>
  );
}

function sentence(change: string | { text: string }): string {
  return typeof change === "string" ? change : change.text;
}
