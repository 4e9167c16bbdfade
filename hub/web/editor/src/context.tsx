// What every part of the editor reaches: what is held, who saves it, and small things to draw with.
import { createContext, useContext, type ReactNode } from "react";
import { toast } from "page/toast";
import { t } from "page/words";
import { ApiError } from "./api.ts";
import type { Place } from "./model.ts";
import type { Saver } from "./save.ts";
import type { Store } from "./store.ts";

export type Editor = {
  store: Store;
  saver: Saver;
  /** Ask which block to add, behind a port or anywhere. */
  add: (after: Place | null) => void;
  /** Ask how to publish. */
  publish: () => void;
};

export const EditorContext = createContext<Editor | null>(null);

export function useEditor(): Editor {
  const found = useContext(EditorContext);
  if (!found) throw new Error("a part of the editor is drawn outside of it");
  return found;
}

const sprite = document.querySelector("svg.icon use")?.getAttribute("href")?.split("#")[0] ?? "/static/built/icons.svg";

export function Icon({ name }: { name: string }): ReactNode {
  return (
    <svg className="icon" aria-hidden="true" focusable="false">
      <use href={`${sprite}#${name}`} />
    </svg>
  );
}

/** Do something that asks the server; what goes wrong is said in one line. */
export async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message, { tone: "bad" });
  }
}

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea"); // the clipboard is closed, as in some frames
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast(t("Copied"));
}

/** A time of today as 12:04, of another day with its date; in the portal's zone, as on all other pages. */
export function moment(at: string | number): string {
  const timeZone = document.getElementById("editor")?.dataset["zone"];
  const day = (one: Date): string => one.toLocaleDateString("en", { timeZone });
  const when = new Date(at);
  const date = day(when) === day(new Date()) ? {} : ({ day: "numeric", month: "short" } as const);
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone } as const;
  return when.toLocaleString(document.documentElement.lang, { ...clock, ...date });
}
