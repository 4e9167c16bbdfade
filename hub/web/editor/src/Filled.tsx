// A text as an example fills it: every value is marked, and one that is empty says so, and why.
import type { ReactNode } from "react";
import { t } from "page/words";
import { Icon } from "./context.tsx";
import { useLabel } from "./labels.ts";
import { parts } from "./template.ts";
import type { Filled as Place, Preview } from "./types.ts";

/** What stands at each place of a text, in their order. */
export type Fill = { path: string; text: string; reason: string | null };

export function fillsOf(preview: Preview | undefined): Fill[] {
  return (preview?.places ?? []).map((place) => ({ path: place.expression, text: String(place.value ?? ""), reason: place.reason }));
}

export function fillsOfTrace(places: Place[]): Fill[] {
  return places.map((place) => ({ path: place.path, text: place.text, reason: place.missing }));
}

/** Places that nothing is known of are shown by their names. */
export function Filled({ template, fills }: { template: string; fills: Fill[] }): ReactNode {
  const label = useLabel();
  let at = -1;
  return parts(template).map((part, key) => {
    if (part.kind === "text") return part.text;
    const fill = fills[++at];
    if (!fill) return <span key={key} className="chip" title={part.text}>{label(part.path)}</span>;
    if (fill.text === "") return <mark key={key} className="filled-empty" title={part.text}>{t("{place} is empty", { place: label(part.path) })}</mark>;
    return <span key={key} className="filled" title={label(part.path)}>{fill.text}</span>;
  });
}

/** Why places stay empty, each once. */
export function Reasons({ fills }: { fills: Fill[] }): ReactNode {
  const label = useLabel();
  const empty = fills.filter((fill, at) => fill.text === "" && fills.findIndex((other) => other.path === fill.path) === at);
  return empty.map((fill) => (
    <p key={fill.path} className="given-empty small">
      <Icon name="alert-triangle" />
      <span>{t("{place} is empty", { place: label(fill.path) })}{fill.reason ? `: ${fill.reason}` : ""}</span>
    </p>
  ));
}
