// Keeps the draft two seconds after a change, checks it at once, and never writes over what somebody else has saved.
import { ApiError, api } from "./api.ts";
import { isSame } from "./json.ts";
import type { Doc } from "./model.ts";
import type { Store } from "./store.ts";
import type { Checked, Scenario } from "./types.ts";

const SAVE_MS = 2_000;
const CHECK_MS = 150;
const AGAIN_MS = 5_000;

/** What could not be saved when its editor went away, with the revision it was drawn on: for when it is opened again. */
const left = new Map<number, { doc: Doc; revision: string }>();

export class Saver {
  private readonly store: Store;
  private saved: Doc;
  private checkedDoc: Doc;
  /** The newest example that the check knew: a request may have brought a name that was doubted. */
  private checkedExample: string | undefined;
  private saveTimer = 0;
  private checkTimer = 0;
  private running: Promise<void> | null = null;
  /** A document whose saving was never answered: it may be kept or not. */
  private unsure: Doc | null = null;
  /** Whether the next draft must not take the place of the newest, which is somebody else's or of another window. */
  private apart = false;
  private stopped = false;
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
    this.comeBack();
  }

  /** Keep what is not kept yet, and let go of the page. */
  stop(): void {
    this.leave();
    this.stopped = true;
    window.clearTimeout(this.checkTimer);
    const { store } = this;
    void this.flush().then((isKept) => {
      const { id, revision } = store.state.scenario;
      if (!isKept && store.doc !== this.saved) left.set(id, { doc: store.doc, revision });
    });
  }

  private comeBack(): void {
    const { store } = this;
    const { id, version, revision } = store.state.scenario;
    const found = left.get(id);
    left.delete(id);
    if (!found || isSame(found.doc, store.doc)) return;
    if (found.revision !== revision) this.collide(version, revision, null);
    store.edit(() => found.doc);
  }

  private collide(version: number, revision: string, by: string | null): void {
    this.apart = true;
    this.store.set({ saving: { kind: "conflict", version, revision, by } });
  }

  private look(): void {
    const doc = this.store.doc;
    const newest = this.store.state.examples?.[0]?.id;
    if (newest !== this.checkedExample) {
      this.checkedExample = newest;
      this.checkSoon();
    }
    if (doc !== this.checkedDoc) {
      this.checkedDoc = doc;
      this.checkSoon();
      window.clearTimeout(this.saveTimer);
      if (doc !== this.saved && this.store.state.saving.kind !== "conflict") {
        this.saveTimer = window.setTimeout(() => void this.flush(), SAVE_MS);
      } else if (this.store.state.saving.kind === "dirty") {
        this.store.set({ saving: { kind: "saved", at: Date.now() } }); // undone to what is kept
      }
    }
  }

  private checkSoon(): void {
    window.clearTimeout(this.checkTimer);
    this.checkTimer = window.setTimeout(() => void this.check(), CHECK_MS);
  }

  private async check(): Promise<void> {
    const doc = this.store.doc;
    try {
      this.store.take(await api<Checked>("POST", "/scenarios/check", { document: doc, scenario: this.store.state.scenario.id }), doc);
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
    const { kind } = store.state.saving;
    if (kind !== "offline" && kind !== "signed_out") store.set({ saving: { kind: "saving" } }); // a further try is quiet
    try {
      const apart = this.apart && query ? "&apart=true" : "";
      const scenario = await api<Scenario>("PUT", `/scenarios/${store.state.scenario.id}${query}${apart}`, doc, {
        "If-Match": `"${store.state.scenario.revision}"`,
      });
      this.apart = false;
      this.kept(doc, scenario);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code !== "version_conflict" || !(await this.wasMine(error))) this.failed(error, doc);
    }
  }

  private kept(doc: Doc, scenario: Scenario): void {
    this.saved = doc;
    this.unsure = null;
    const saving = this.store.doc === doc ? ({ kind: "saved", at: Date.now() } as const) : ({ kind: "dirty" } as const);
    this.store.set({ scenario, saving });
  }

  /** Whether what was saved meanwhile is what was sent from here, when the answer was lost on its way. */
  private async wasMine(error: ApiError): Promise<boolean> {
    const { unsure, store } = this;
    if (unsure === null) return false;
    const address = `/scenarios/${store.state.scenario.id}`;
    try {
      const [scenario, doc] = await Promise.all([api<Scenario>("GET", address), api<Doc>("GET", `${address}/document?format=json`)]);
      if (!isSame(doc, unsure)) return false;
      // The revision is that of the refusal: whoever saves between the two questions is still noticed.
      this.kept(unsure, { ...scenario, revision: String(error.detail["revision"]) });
      return true;
    } catch (other) {
      if (!(other instanceof ApiError)) throw other;
      return false; // the conflict is shown
    }
  }

  private failed(error: ApiError, doc: Doc): void {
    const { store } = this;
    if (error.code === "version_conflict") {
      const { version, revision, by } = error.detail;
      this.collide(Number(version), String(revision), typeof by === "string" ? by : null);
    } else if (error.status >= 400 && error.status < 500 && error.status !== 401 && error.status !== 429) {
      const problems = error.detail["problems"];
      const first = Array.isArray(problems) ? (problems[0] as { message?: string } | undefined)?.message : undefined;
      store.set({ saving: { kind: "refused", message: first ?? error.message } });
    } else {
      if (error.status === 0 || error.status >= 500) this.unsure = doc;
      store.set({ saving: { kind: error.status === 401 ? "signed_out" : "offline" } });
      if (!this.stopped) this.saveTimer = window.setTimeout(() => void this.flush(), AGAIN_MS);
    }
  }
}
