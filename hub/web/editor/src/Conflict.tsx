// What keeps the drawing from being saved and needs a person: two in one scenario, where what somebody else has saved is
// never written over and mine never dropped, and a session that has ended.
import type { ReactNode } from "react";
import { t } from "page/words";
import { attempt, Icon, useEditor } from "./context.tsx";
import { useStore } from "./store.ts";

export function Conflict(): ReactNode {
  const { store, saver } = useEditor();
  const saving = useStore(store, (state) => state.saving);
  if (saving.kind === "signed_out") return <SignedOut />;
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

function SignedOut(): ReactNode {
  const { store } = useEditor();
  return (
    <div className="notice notice-wait editor-conflict" role="alert">
      <Icon name="lock" />
      <div>
        <strong>{t("You are signed out.")}</strong>{" "}
        {store.data.frame
          ? t("Your changes are still here: they are saved as soon as Bitrix24 lets you in again.")
          : t("Your changes are still here. Sign in again in another tab, and they are saved by themselves.")}
        {!store.data.frame && (
          <div className="actions">
            <a className="btn btn-sm" href="/login" target="_blank" rel="noreferrer">{t("Sign in")}</a>
          </div>
        )}
      </div>
    </div>
  );
}
