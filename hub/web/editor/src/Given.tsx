// Below a text: what it gives on the example, and what can be done about places that stay empty there.
import type { ReactNode } from "react";
import { t, tn } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import { shown } from "./template.ts";
import type { Place, Preview } from "./types.ts";

type Props = {
  block: string;
  preview: Preview;
  multiline: boolean;
  label: (path: string) => string;
  /** Ask what stands there instead. */
  fill: (path: string) => void;
};

export function Given({ block, preview, multiline, label, fill }: Props): ReactNode {
  const empty = preview.places.filter((place) => shown(place.value) === "");
  const each = empty.filter((place, at) => empty.findIndex((other) => other.expression === place.expression) === at);
  return (
    <div className="given">
      {preview.text !== "" && <div className={multiline ? "bubble" : "given-text"} data-testid="preview">{preview.text}</div>}
      {each.map((place) => <Empty key={place.expression} block={block} place={place} label={label} fill={fill} />)}
      {multiline && preview.length > 0 && (
        <div className="given-count small quiet">
          {tn("{n} character", "{n} characters", preview.length)}
          {preview.parts > 1 ? ` · ${tn("{n} message", "{n} messages", preview.parts)}` : ""}
        </div>
      )}
    </div>
  );
}

function Empty({ block, place, label, fill }: Omit<Props, "preview" | "multiline"> & { place: Place }): ReactNode {
  const { store } = useEditor();
  const drawn = store.doc.blocks.find((one) => one.id === block);
  const canSkip = drawn !== undefined && store.types.get(drawn.type)?.schema.properties?.["skip_if_empty"] !== undefined;
  const listed = drawn?.config?.["skip_if_empty"];
  const skipped = Array.isArray(listed) ? listed : [];
  const isSkipped = skipped.includes(place.expression);
  const skip = (): void => store.configure(block, { ...drawn?.config, skip_if_empty: [...skipped, place.expression] }, "skip_if_empty");
  return (
    <div className="given-empty">
      <Icon name="alert-triangle" />
      <div>
        {t("{place} is empty", { place: label(place.expression) })}
        {place.reason ? `: ${place.reason}` : ""}
        {isSkipped && ` ${t("Then the message is not sent.")}`}
        {store.canEdit && (
          <span className="given-ways">
            <button type="button" className="btn btn-sm" onClick={() => fill(place.expression)}>{t("instead of it …")}</button>
            {canSkip && !isSkipped && <button type="button" className="btn btn-sm" onClick={skip}>{t("do not send")}</button>}
          </span>
        )}
      </div>
    </div>
  );
}
