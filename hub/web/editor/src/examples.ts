// The example in sight: kept requests and cards of the portal, the newest as soon as it is there.
import { t } from "page/words";
import { ApiError, api } from "./api.ts";
import type { Json } from "./model.ts";
import type { Store } from "./store.ts";
import type { Example, Live, Trace } from "./types.ts";

/** What a test takes: a body, or the id of a kept request. */
export type Given = { body: Json } | { example: string };

const WAITING_MS = 1_500;
const RESTING_MS = 10_000;

/** A check of the connection fills nothing. */
const isExample = (one: Example): boolean => one.outcome !== "check";

export async function loadExamples(store: Store, q = ""): Promise<Example[]> {
  return (await loadArrived(store, q)).filter(isExample);
}

async function loadArrived(store: Store, q = ""): Promise<Example[]> {
  const search = q ? `&q=${encodeURIComponent(q)}` : "";
  const address = `/scenarios/${store.state.scenario.id}/examples?limit=20${search}`;
  return (await api<{ items: Example[] }>("GET", address)).items;
}

function loadLive(store: Store): Promise<Live> {
  return api<Live>("GET", `/scenarios/${store.state.scenario.id}/live`);
}

export function givenOf(example: Example): Given {
  return example.kind === "card" ? { body: example.event } : { example: example.id };
}

/** Run what is drawn on an example, and draw the run. */
export async function dryRun(store: Store, given: Given): Promise<void> {
  const body = { document: store.doc, ...given };
  store.set({ trace: await api<Trace>("POST", `/scenarios/${store.state.scenario.id}/test`, body) });
}

/** Wait for the next request, however long that takes, and make it the example; a check of the connection is only told
 * of. Gives what ends the waiting. */
export function awaitRequest(store: Store, came: (example: Example) => void, say: (text: string) => void): () => void {
  let timer = 0;
  let stopped = false;
  let seen: string | null = null;
  const look = async (): Promise<void> => {
    try {
      const last = (await loadLive(store)).last_request?.id ?? "";
      say("");
      seen ??= last;
      if (last > seen) {
        const arrived = await loadArrived(store);
        const found = arrived.find((one) => one.id === last);
        if (stopped) return;
        seen = last;
        if (found?.outcome === "check") say(t("The check of the connection has come. Now a real request is awaited."));
        else if (found) {
          store.set({ examples: arrived.filter(isExample), example: found, trace: null });
          return came(found);
        }
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(error.message); // and it is asked again
    }
    if (!stopped) timer = window.setTimeout(() => void look(), WAITING_MS);
  };
  void look();
  return () => {
    stopped = true;
    window.clearTimeout(timer);
  };
}

/** Ask now and then what has arrived: often while the first request is awaited, seldom afterwards. */
export function watchExamples(store: Store): () => void {
  let timer = 0;
  let stopped = false;
  let seen: string | null = null;
  const look = async (): Promise<void> => {
    try {
      const live = await loadLive(store);
      store.set({ live });
      const last = live.last_request?.id ?? "none";
      if (last !== seen) {
        seen = last;
        await refresh(store);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The state line tells of a server that is away when there is something to save.
    }
    if (!stopped) timer = window.setTimeout(() => void look(), waits(store) ? WAITING_MS : RESTING_MS);
  };
  // Which cards are shown follows what the start block waits for, as soon as that is kept.
  let wanted = startOf(store);
  const forget = store.subscribe(() => {
    if (store.state.saving.kind !== "saved" || startOf(store) === wanted) return;
    wanted = startOf(store);
    refresh(store).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error; // those of before stay
    });
  });
  void look();
  return () => {
    forget();
    stopped = true;
    window.clearTimeout(timer);
  };
}

function startOf(store: Store): string {
  const start = store.doc.blocks.find((block) => block.type === "bitrix24_event");
  return JSON.stringify([start?.config?.["entity"], start?.config?.["stage"]]);
}

function waits(store: Store): boolean {
  return store.state.examples?.length === 0 || store.state.side === "test" || document.hasFocus();
}

async function refresh(store: Store): Promise<void> {
  const examples = await loadExamples(store);
  const { example, examples: before } = store.state;
  // Somebody who has chosen an example keeps it; who waited for the first one gets it.
  const offered = first(examples);
  const chosen = example && (first(before ?? [])?.id !== example.id || !offered) ? example : offered;
  store.set({ examples, example: chosen });
}

/** The newest that a run can begin with; where there is none, the newest of all, so that one sees why. */
function first(examples: Example[]): Example | null {
  return examples.find((one) => one.outcome !== "refused") ?? examples[0] ?? null;
}
