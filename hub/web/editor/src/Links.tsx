// The three links with their buttons, and a new token whose old one still works for some days.
import { useState, type ReactNode } from "react";
import { toast } from "page/toast";
import { t } from "page/words";
import { api } from "./api.ts";
import { attempt, copyText, Icon, moment, useEditor } from "./context.tsx";
import { useStore } from "./store.ts";
import type { Scenario } from "./types.ts";

export function LinksPane(): ReactNode {
  const { store } = useEditor();
  const links = useStore(store, (state) => state.scenario.links);
  if (!links) return <p className="quiet">{t("This scenario is not started by a link. Its start block says what starts it.")}</p>;
  return (
    <>
      <LinkList />
      {store.canEdit && <Rotation />}
    </>
  );
}

export function LinkList(): ReactNode {
  const { store } = useEditor();
  const links = useStore(store, (state) => state.scenario.links);
  const [more, setMore] = useState(false);
  if (!links) return null;
  return (
    <div className="links">
      <LinkRow id="link-token-only" title={t("Link for a form or JSON")} hint={t("Fields and values come in the body.")} value={links.token_only} />
      <LinkRow id="link-request" title={t("Link with fields")} hint={t("Replace the names with values.")} value={links.request} />
      <button type="button" className="btn btn-sm" aria-expanded={more} onClick={() => setMore(!more)}>
        <Icon name="info-circle" />
        {t("Link that answers with the result")}
      </button>
      {more && (
        <LinkRow id="link-result" title={t("Link with the result")}
          hint={t("It answers when the scenario is through, with the values of “Return a result”. Whoever calls it has to wait.")} value={links.result} />
      )}
    </div>
  );
}

function LinkRow({ id, title, hint, value }: { id: string; title: string; hint: string; value: string }): ReactNode {
  return (
    <div className="field">
      <label className="form-label" htmlFor={`field-${id}`}>{title}</label>
      <div className="copy">
        <input id={`field-${id}`} className="form-control copy-value" value={value} readOnly data-testid={id} onFocus={(event) => event.target.select()} />
        <button type="button" className="btn btn-icon" aria-label={t("Copy: {title}", { title })} onClick={() => void copyText(value)}>
          <Icon name="copy" />
        </button>
      </div>
      <p className="form-hint">{hint}</p>
    </div>
  );
}

function Rotation(): ReactNode {
  const { store } = useEditor();
  const [days, setDays] = useState(7);
  const [asked, setAsked] = useState(false);
  const rotate = (): Promise<void> =>
    attempt(async () => {
      const address = `/scenarios/${store.state.scenario.id}/rotate-token`;
      const made = await api<Scenario & { old_link_expires_at: string }>("POST", address, { grace_days: days });
      store.set({ scenario: made });
      setAsked(false);
      toast(t("New links. The old ones work until {time}.", { time: moment(made.old_link_expires_at) }));
    });
  return (
    <section className="rotation">
      <h3>{t("New links")}</h3>
      <p className="small quiet">{t("When a link has fallen into wrong hands. Put the new one everywhere before the old one ends.")}</p>
      {asked ? (
        <>
          <label className="form-label" htmlFor="grace">{t("The old links work on for")}</label>
          <select id="grace" className="form-select" value={days} onChange={(event) => setDays(Number(event.target.value))}>
            <option value={0}>{t("not at all")}</option>
            <option value={1}>{t("a day")}</option>
            <option value={7}>{t("a week")}</option>
            <option value={30}>{t("30 days")}</option>
          </select>
          <div className="actions">
            <button type="button" className="btn btn-primary btn-sm" onClick={() => void rotate()}>{t("Make new links")}</button>
            <button type="button" className="btn btn-sm" onClick={() => setAsked(false)}>{t("Cancel")}</button>
          </div>
        </>
      ) : (
        <button type="button" className="btn btn-sm" onClick={() => setAsked(true)}>{t("Make new links …")}</button>
      )}
    </section>
  );
}
