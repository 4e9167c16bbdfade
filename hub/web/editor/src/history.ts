// Undo and redo. Keystrokes in one field within a moment are one step.
import type { Doc } from "./model.ts";

export type History = { past: Doc[]; present: Doc; future: Doc[]; key: string | null; at: number };
const MERGE_MS = 1_000;
const MAX_STEPS = 200;

export function begin(doc: Doc): History {
  return { past: [], present: doc, future: [], key: null, at: 0 };
}

/** The next document. `key` names what is edited: quick changes of the same thing are undone together. */
export function commit(history: History, doc: Doc, now: number, key: string | null = null): History {
  if (doc === history.present) return history;
  const same = key !== null && key === history.key && now - history.at < MERGE_MS && history.past.length > 0;
  const past = same ? history.past : [...history.past, history.present].slice(-MAX_STEPS);
  return { past, present: doc, future: [], key, at: now };
}

export function undo(history: History): History {
  const last = history.past.at(-1);
  if (!last) return history;
  const future = [history.present, ...history.future];
  return { past: history.past.slice(0, -1), present: last, future, key: null, at: 0 };
}

export function redo(history: History): History {
  const [next, ...future] = history.future;
  if (!next) return history;
  return { past: [...history.past, history.present], present: next, future, key: null, at: 0 };
}
