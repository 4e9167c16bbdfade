// Keeps the draft two seconds after a change, checks it at once, and never writes over what somebody else has saved.
import { ApiError, api } from "./api.ts";
import type { Doc } from "./model.ts";
import type { Store } from "./store.ts";
import type { Checked, Scenario } from "./types.ts";

const SAVE_MS = 2_000;
const CHECK_MS = 150;
const AGAIN_MS = 5_000;

export class Saver {
  private readonly store: Store;
  private saved: Doc;
  private checkedDoc: Doc;
  private saveTimer = 0;
  private checkTimer = 0;
  private running: Promise<void> | null = null;
  private readonly leave: () => void;

  constructor(store: Store) {
    this.store = store;
    this.saved = store.doc;
    this.checkedDoc = store.doc;
    const forget = store.subscribe(() => this.look());
    const warn = (event: BeforeUnloadEvent): void => {
      if (store.doc === this.saved) return;
      void this.flush();
      event.preventDefault();
    };
    window.addEventListener("beforeunload", warn);
    this.leave = () => {
      forget();
      window.removeEventListener("beforeunload", warn);
    };
  }

  /** Keep what is not kept yet, and let go of the page. */
  stop(): void {
    this.leave();
    window.clearTimeout(this.checkTimer);
    void this.flush();
  }

  private look(): void {
    const doc = this.store.doc;
    if (doc !== this.checkedDoc) {
      this.checkedDoc = doc;
      window.clearTimeout(this.checkTimer);
      this.checkTimer = window.setTimeout(() => void this.check(), CHECK_MS);
      window.clearTimeout(this.saveTimer);
      if (doc !== this.saved && this.store.state.saving.kind !== "conflict") {
        this.saveTimer = window.setTimeout(() => void this.flush(), SAVE_MS);
      } else if (this.store.state.saving.kind === "dirty") {
        this.store.set({ saving: { kind: "saved", at: Date.now() } }); // undone to what is kept
      }
    }
  }

  private async check(): Promise<void> {
    const doc = this.store.doc;
    try {
      this.store.take(await api<Checked>("POST", "/scenarios/check", { document: doc }), doc);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The next change asks again, and saving says that the server is away.
    }
  }

  /** Keep the draft now. Whether everything is kept; if not, `state.saving` says why. */
  async flush(): Promise<boolean> {
    window.clearTimeout(this.saveTimer);
    while (this.running) await this.running;
    const { store } = this;
    const kind = (): string => store.state.saving.kind;
    if (store.doc !== this.saved && store.canEdit && kind() !== "conflict") {
      this.running = this.put(store.doc, "?draft=true").finally(() => (this.running = null));
      await this.running;
      if (kind() === "dirty") return this.flush();
    } else if (kind() === "dirty") {
      store.set({ saving: { kind: "saved", at: Date.now() } });
    }
    return store.doc === this.saved && kind() === "saved";
  }

  /** Publish what is drawn, and switch the scenario on. */
  async publish(): Promise<void> {
    while (this.running) await this.running;
    const { store } = this;
    if (store.state.scenario.enabled) {
      this.running = this.put(store.doc, "").finally(() => (this.running = null));
      await this.running;
    } else if (!(await this.flush())) return;
    if (store.state.saving.kind !== "saved") return;
    const id = store.state.scenario.id;
    const scenario = await api<Scenario>("PATCH", `/scenarios/${id}`, { enabled: true });
    store.set({ scenario });
  }

  /** Take another document as the one that is kept: a restored version, or what somebody else has saved. */
  async reload(): Promise<void> {
    const { store } = this;
    const id = store.state.scenario.id;
    const [scenario, doc] = await Promise.all([
      api<Scenario>("GET", `/scenarios/${id}`),
      api<Doc>("GET", `/scenarios/${id}/document?format=json`),
    ]);
    this.saved = doc;
    store.set({ saving: { kind: "saved", at: Date.now() }, scenario });
    store.edit(() => doc);
    store.set({ saving: { kind: "saved", at: Date.now() } });
  }

  /** Take the YAML or JSON of a file as the draft, under this scenario's name. The server reads it: one reader for all. */
  async take(text: string): Promise<void> {
    if (!(await this.flush())) return;
    const { store } = this;
    await api("PUT", `/scenarios/${store.state.scenario.id}?draft=true&keep_name=true`, text, {
      "Content-Type": text.trimStart().startsWith("{") ? "application/json" : "application/yaml",
      "If-Match": `"${store.state.scenario.revision}"`,
    });
    await this.reload();
  }

  /** After a conflict: mine becomes the newest version, theirs stays among the versions. */
  async keepMine(): Promise<void> {
    const { saving } = this.store.state;
    if (saving.kind !== "conflict") return;
    const scenario = { ...this.store.state.scenario, revision: saving.revision };
    this.store.set({ scenario, saving: { kind: "dirty" } });
    await this.flush();
  }

  private async put(doc: Doc, query: string): Promise<void> {
    const { store } = this;
    store.set({ saving: { kind: "saving" } });
    try {
      const scenario = await api<Scenario>("PUT", `/scenarios/${store.state.scenario.id}${query}`, doc, {
        "If-Match": `"${store.state.scenario.revision}"`,
      });
      this.saved = doc;
      const unchanged = store.doc === doc;
      const saving = unchanged ? ({ kind: "saved", at: Date.now() } as const) : ({ kind: "dirty" } as const);
      store.set({ scenario, saving });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failed(error);
    }
  }

  private failed(error: ApiError): void {
    const { store } = this;
    if (error.code === "version_conflict") {
      const { version, revision, by } = error.detail;
      const who = typeof by === "string" ? by : null;
      store.set({ saving: { kind: "conflict", version: Number(version), revision: String(revision), by: who } });
    } else if (error.status >= 400 && error.status < 500 && error.status !== 401 && error.status !== 429) {
      const problems = error.detail["problems"];
      const first = Array.isArray(problems) ? (problems[0] as { message?: string } | undefined)?.message : undefined;
      store.set({ saving: { kind: "refused", message: first ?? error.message } });
    } else {
      store.set({ saving: { kind: "offline" } });
      this.saveTimer = window.setTimeout(() => void this.flush(), AGAIN_MS);
    }
  }
}
