// What the templates of the selected block give on the chosen example, asked for while somebody types.
import { ApiError, api } from "./api.ts";
import type { Store } from "./store.ts";
import type { Preview } from "./types.ts";

const REST_MS = 120;

/** Every text of a block on the chosen example. */
export async function askPreview(store: Store, block: string | undefined): Promise<Record<string, Preview>> {
  const { example, scenario } = store.state;
  const given = example?.kind === "card" ? { body: example.event } : example?.id;
  const body = { document: store.doc, scenario: scenario.id, example: given, block };
  return (await api<{ fields: Record<string, Preview> }>("POST", "/scenarios/preview", body)).fields;
}

export function watchPreview(store: Store): () => void {
  let timer = 0;
  let last: unknown[] = [];
  let asked = 0;
  const ask = async (): Promise<void> => {
    const number = ++asked;
    try {
      const previews = await askPreview(store, store.state.selected[0]);
      if (number === asked) store.set({ previews });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (number === asked) store.set({ previews: {} }); // what was shown is of another text
    }
  };
  const look = (): void => {
    const { example, selected } = store.state;
    const block = store.doc.blocks.find((one) => one.id === selected[0]);
    const now = [block, example?.id];
    if (now.every((one, at) => one === last[at]) && last.length > 0) return;
    if (block?.id !== (last[0] as { id?: string } | undefined)?.id) store.state = { ...store.state, previews: {} };
    last = now;
    window.clearTimeout(timer);
    if (block && example && selected.length === 1) timer = window.setTimeout(() => void ask(), REST_MS);
  };
  const forget = store.subscribe(look);
  look();
  return () => {
    forget();
    window.clearTimeout(timer);
  };
}
