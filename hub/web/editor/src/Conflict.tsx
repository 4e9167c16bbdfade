// Two people in one scenario: what somebody else has saved is never written over, and mine is never dropped.
import type { ReactNode } from "react";
import { t } from "page/words";
import { attempt, Icon, useEditor } from "./context.tsx";
import { useStore } from "./store.ts";

export function Conflict(): ReactNode {
  const { store, saver } = useEditor();
  const saving = useStore(store, (state) => state.saving);
  if (saving.kind !== "conflict") return null;
  const who = saving.by ?? t("Somebody");
  return (
    <div className="notice notice-wait editor-conflict" role="alert">
      <Icon name="users" />
      <div>
        <strong>{t("{who} has saved version {n} meanwhile.", { who, n: saving.version })}</strong>{" "}
        {t("Your changes are still here and not lost.")}
        <div className="actions">
          <button type="button" className="btn btn-sm" onClick={() => void attempt(() => saver.reload())}>
            {t("Show theirs (mine by “Undo”)")}
          </button>
          <button type="button" className="btn btn-sm" onClick={() => void attempt(() => saver.keepMine())}>
            {t("Keep mine (theirs among the versions)")}
          </button>
        </div>
      </div>
    </div>
  );
}
