// “Send to me”: the messages of a dry run really go, to the portal's own numbers only; below stands what became of each.
import { useEffect, useState, type ReactNode } from "react";
import { t } from "page/words";
import { api, ApiError } from "./api.ts";
import { attempt, Icon, useEditor } from "./context.tsx";
import type { Given } from "./examples.ts";
import { shownAs, useStates } from "./states.ts";

type Item = { block: string; line: string; chat_id: string | null; message: string | null; error: string | null };
type Sent = { items: Item[]; status: string; error: { code: string; message: string } | null };
type Message = { id: string; state: string; error: { code: string; message: string } | null };
const LOOK_MS = 700;
const MOVING = ["queued", "sending"];

export function ToMe({ given, disabled }: { given: () => Given; disabled: boolean }): ReactNode {
  const { store } = useEditor();
  const own = store.data.me.own_numbers;
  const [sent, setSent] = useState<Sent | null>(null);
  const [sending, setSending] = useState(false);
  if (own.length === 0) {
    return (
      <div className="notice notice-info" data-testid="no-own-numbers">
        <Icon name="info-circle" />
        <div>
          <p>{t("Tests really write only to own numbers: your phone, your chat. There are none yet.")}</p>
          <a href={store.data.addresses["settings"] ?? "/settings"}>{t("Enter own numbers in the settings")}</a>
        </div>
      </div>
    );
  }
  const go = async (): Promise<void> => {
    setSending(true);
    await attempt(async () => {
      setSent(null);
      const body = { document: store.doc, ...given() };
      setSent(await api<Sent>("POST", `/scenarios/${store.state.scenario.id}/send-to-me`, body));
    }).finally(() => setSending(false));
  };
  return (
    <>
      <p className="small">{t("Real messages go, but only to own numbers: {numbers}. The customer gets nothing.", { numbers: own.join(", ") })}</p>
      <div className="actions">
        <button type="button" className="btn btn-primary" disabled={disabled || sending} onClick={() => void go()}>
          <Icon name="send" />
          {sending ? t("Sending …") : t("Send to me")}
        </button>
      </div>
      {sent && (
        <div data-testid="sent-to-me" role="status">
          {sent.error && <p className="field-error"><Icon name="alert-triangle" />{sent.error.message} <span className="mono">{sent.error.code}</span></p>}
          {sent.items.length === 0 && !sent.error && <p className="quiet small">{t("No message.")}</p>}
          <ul className="sent-list">
            {sent.items.map((item, at) => (
              <li key={item.message ?? at}>
                {item.message ? <Progress item={item} id={item.message} /> : <><strong>{item.line}</strong> <span className="field-error">{item.error}</span></>}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

/** A message on its way, asked after until it has arrived somewhere. */
function Progress({ item, id }: { item: Item; id: string }): ReactNode {
  const { store } = useEditor();
  const [message, setMessage] = useState<Message | null>(null);
  useEffect(() => {
    let timer = 0;
    let gone = false;
    const look = async (): Promise<void> => {
      try {
        const found = await api<Message>("GET", `/messages/${id}`);
        if (gone) return;
        setMessage(found);
        if (!MOVING.includes(found.state)) return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error; // the server is away: what is shown stays, and it is asked again
      }
      if (!gone) timer = window.setTimeout(() => void look(), LOOK_MS);
    };
    void look();
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, [id]);
  const shown = shownAs(useStates("message"), message?.state ?? "queued");
  return (
    <>
      <strong>{t("{line} → {chat}", { line: item.line, chat: item.chat_id ?? "" })}</strong>{" "}
      <span className={`state state-${shown.tone}`}><Icon name={shown.sign} />{shown.text}</span>
      {message?.error && (
        <p className="small">
          <a href={`${store.data.addresses["journal"] ?? "/journal"}/messages/${id}`}>{t("What happened, and what to do")}</a>{" "}
          <span className="mono quiet">{message.error.code}</span>
        </p>
      )}
    </>
  );
}
