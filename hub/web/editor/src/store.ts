// What the editor holds, outside of React, so that saving and checking go on whatever is drawn.
import { useSyncExternalStore } from "react";
import * as history from "./history.ts";
import type { Doc } from "./model.ts";
import { change } from "./model.ts";
import type { BlockType, Checked, Data, Example, Live, Preview, Scenario, Trace } from "./types.ts";

export type Saving =
  | { kind: "saved"; at: number | null }
  | { kind: "dirty" }
  | { kind: "saving" }
  | { kind: "refused"; message: string }
  | { kind: "offline" }
  | { kind: "signed_out" }
  | { kind: "conflict"; version: number; revision: string; by: string | null };
export type Side = "inspector" | "run" | "test" | "versions" | "links" | "problems" | null;

export type State = {
  history: history.History;
  selected: string[];
  checked: Checked;
  scenario: Scenario;
  saving: Saving;
  side: Side;
  examples: Example[] | null;
  example: Example | null;
  previews: Record<string, Preview>;
  trace: Trace | null;
  live: Live | null;
  focus: { block: string; path: string } | null;
};

export class Store {
  readonly data: Data;
  readonly types: Map<string, BlockType>;
  readonly canEdit: boolean;
  state: State;
  private readonly listeners = new Set<() => void>();

  constructor(data: Data) {
    this.data = data;
    this.types = new Map(data.blocks.map((block) => [block.type, block]));
    this.canEdit = data.me.role !== "viewer";
    // What has never run is opened at the first thing that it lacks, where there is room for both.
    const lacking = data.scenario.published_version === null ? data.checked.problems.find((problem) => problem.block)?.block : null;
    const begun = !data.run && lacking && window.innerWidth >= 900 ? lacking : null;
    this.state = {
      history: history.begin(data.document),
      selected: begun ? [begun] : [],
      checked: data.checked,
      scenario: data.scenario,
      saving: { kind: "saved", at: null },
      side: data.run ? "run" : begun ? "inspector" : null,
      examples: null,
      example: data.run?.example ?? null,
      previews: {},
      trace: data.run?.trace ?? null,
      live: null,
      focus: null,
    };
  }

  get doc(): Doc {
    return this.state.history.present;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  set(changes: Partial<State>): void {
    this.state = { ...this.state, ...changes };
    for (const listener of this.listeners) listener();
  }

  /** Change the drawing; `key` joins quick changes of one thing into one step of undo. */
  edit(make: (doc: Doc) => Doc, key: string | null = null): void {
    if (!this.canEdit) return;
    this.move(history.commit(this.state.history, make(this.doc), Date.now(), key));
  }

  undo(): void {
    if (this.canEdit) this.move(history.undo(this.state.history));
  }

  redo(): void {
    if (this.canEdit) this.move(history.redo(this.state.history));
  }

  private move(next: history.History): void {
    if (next === this.state.history) return;
    const known = new Set(next.present.blocks.map((block) => block.id));
    const selected = this.state.selected.filter((id) => known.has(id));
    const saving: Saving = this.state.saving.kind === "conflict" ? this.state.saving : { kind: "dirty" };
    this.set({ history: next, selected, saving, trace: null });
  }

  select(ids: string[]): void {
    const { side, trace } = this.state;
    const isRunDrawn = trace !== null && trace === this.data.run?.trace;
    // A click on a block leads back to the pane of the run that is drawn.
    const shown = side === null && isRunDrawn ? "run" : side;
    const wanted = ids.length !== 1 ? null : shown === "test" || shown === "run" ? shown : "inspector";
    this.set({ selected: ids, side: ids.length === 0 && side !== "inspector" ? side : wanted });
  }

  /** A new config of a block. */
  configure(id: string, config: Record<string, unknown>, key: string): void {
    this.edit((doc) => change(doc, id, { config: config as never }), `${id}.${key}`);
  }

  /** What the check says of a document, while that is the one that is drawn. */
  take(checked: Checked, of: Doc): void {
    if (of === this.doc) this.set({ checked });
  }

  portsOf(id: string): { id: string; title: string }[] {
    const drawn = this.state.checked.blocks[id];
    const block = this.doc.blocks.find((one) => one.id === id);
    const ports = drawn?.ports ?? (block && this.types.get(block.type)?.ports) ?? [];
    const known = new Set(ports.map((port) => port.id));
    // A link of an exit that is not there is shown too, so that it can be taken away.
    const others = this.doc.links.filter((link) => link.from === id && !known.has(link.port));
    return [...ports, ...others.map((link) => ({ id: link.port, title: link.port }))];
  }
}

export function useStore<Part>(store: Store, part: (state: State) => Part): Part {
  return useSyncExternalStore(store.subscribe, () => part(store.state));
}
