// The branches of a condition: each an exit with a name, and comparisons of which all or any must hold.
import type { ReactNode } from "react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import type { ControlProps } from "./fields.tsx";
import { blank, RemoveRow, Rows } from "./lists.tsx";
import { change as changed, renamePort, type Doc, type Json } from "./model.ts";
import type { Schema } from "./types.ts";

type Branch = { port: string; all?: Json; any?: Json };

export function Branches(props: ControlProps): ReactNode {
  const { block, path, schema, value, change } = props;
  const { store } = useEditor();
  const branches = Array.isArray(value) ? (value as Branch[]) : [];
  const items: Schema = schema.items ?? {};
  const keep = (next: Branch[]): void => change(next as Json[]);
  const edit = (make: (doc: Doc) => Doc, next: Branch[], key: string): void =>
    store.edit((doc) => {
      const config = { ...doc.blocks.find((one) => one.id === block)?.config, branches: next as Json[] };
      return changed(make(doc), block, { config });
    }, key);
  const add = (): void => {
    const used = new Set(branches.map((branch) => branch.port));
    let n = branches.length + 1;
    while (used.has(t("branch_{n}", { n }))) n++;
    keep([...branches, { port: t("branch_{n}", { n }), all: [blank(items.properties?.["all"]?.items)] }]);
  };
  return (
    <>
      {branches.map((branch, at) => {
        const how = branch.any ? "any" : "all";
        const inner = items.properties?.[how] ?? {};
        const swap = (next: Branch): void => keep(branches.map((one, other) => (other === at ? next : one)));
        return (
          <div className="row-item" key={at} role="group" aria-label={t("Branch {n}", { n: at + 1 })}>
            <input className="form-control branch-name" value={branch.port} aria-label={t("Name of the branch")} data-path={`${path}[${at}].port`} readOnly={!store.canEdit}
              onChange={(event) => {
                const port = event.target.value;
                const next = branches.map((one, other) => (other === at ? { ...one, port } : one));
                edit((doc) => renamePort(doc, block, branch.port, port), next, `${block}.port${at}`);
              }} />
            <select className="form-select" value={how} aria-label={t("How the comparisons count")}
              onChange={(event) => swap({ port: branch.port, [event.target.value]: branch[how] ?? [] })}>
              <option value="all">{t("All of these are true")}</option>
              <option value="any">{t("Any of these is true")}</option>
            </select>
            <Rows {...props} path={`${path}[${at}].${how}`} schema={inner} value={branch[how]}
              change={(next) => swap({ ...branch, [how]: next ?? [] })} />
            {store.canEdit && (
              <RemoveRow n={at + 1}
                remove={() =>
                  edit(
                    (doc) => ({ ...doc, links: doc.links.filter((link) => link.from !== block || link.port !== branch.port) }),
                    branches.filter((_, other) => other !== at),
                    `${block}.branch`,
                  )
                } />
            )}
          </div>
        );
      })}
      {store.canEdit && branches.length < (schema.maxItems ?? 10) && (
        <button type="button" className="btn btn-sm" onClick={add}>
          <Icon name="plus" />
          {t("Add a branch")}
        </button>
      )}
    </>
  );
}
