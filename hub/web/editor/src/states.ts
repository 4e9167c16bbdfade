// What becomes of messages and lines, in the words of the pages.
import { useEditor } from "./context.tsx";
import type { Shown } from "./types.ts";

export type States = Record<string, Shown>;

export function useStates(kind: "message" | "line"): States {
  return useEditor().store.data.states[kind];
}

/** A state that the pages do not know is shown by its name. */
export function shownAs(states: States, name: string): Shown {
  return states[name] ?? { text: name, tone: "off", sign: "help" };
}
