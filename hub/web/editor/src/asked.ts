// Lists that the server has, asked for once as long as the editor is open.
import { useEffect, useState } from "react";
import { api, ApiError } from "./api.ts";
import { useEditor } from "./context.tsx";
import type { Store } from "./store.ts";

const answers = new WeakMap<Store, Map<string, Promise<unknown>>>();

function ask(store: Store, address: string): Promise<unknown> {
  const kept = answers.get(store) ?? new Map<string, Promise<unknown>>();
  answers.set(store, kept);
  const asked = kept.get(address) ?? api("GET", address);
  kept.set(address, asked);
  asked.catch(() => kept.delete(address)); // what is drawn next may ask again
  return asked;
}

/** An answer of the API; undefined while it is asked, null where it refuses. Nothing is asked without an address. */
export function useAsked<Answer>(address: string | null): Answer | null | undefined {
  const { store } = useEditor();
  const [found, setFound] = useState<{ address: string; answer: Answer | null } | null>(null);
  useEffect(() => {
    if (address === null) return;
    let gone = false;
    ask(store, address).then(
      (answer) => !gone && setFound({ address, answer: answer as Answer }),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (!gone) setFound({ address, answer: null }); // the value in the document is still shown
      },
    );
    return () => {
      gone = true;
    };
  }, [store, address]);
  if (address === null) return null;
  return found?.address === address ? found.answer : undefined;
}

/** The same of a list: its items, null while they are asked for, none where the API refuses. */
export function useItems<Item>(address: string): Item[] | null {
  const found = useAsked<{ items: Item[] }>(address);
  return found === undefined ? null : (found?.items ?? []);
}
