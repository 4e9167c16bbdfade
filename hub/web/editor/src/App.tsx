// The whole of the editor: header, drawing, the pane at its side, and the keys that work everywhere.
import { useEffect, useMemo, useState, type MouseEvent, type ReactNode } from "react";
import { ReactFlowProvider } from "@xyflow/react";
import { Canvas } from "./Canvas.tsx";
import { Conflict } from "./Conflict.tsx";
import { EditorContext, type Editor } from "./context.tsx";
import { Header } from "./Header.tsx";
import { Palette } from "./Palette.tsx";
import { Publish } from "./Publish.tsx";
import { Side } from "./Side.tsx";
import { watchExamples } from "./examples.ts";
import { fetchPage } from "./going.ts";
import { watchPreview } from "./preview.ts";
import { copy, paste, readFragment, remove, type Place } from "./model.ts";
import type { Saver } from "./save.ts";
import type { Store } from "./store.ts";

export function App({ store, saver }: { store: Store; saver: Saver }): ReactNode {
  const [adding, setAdding] = useState<{ after: Place | null } | null>(null);
  const [publishing, setPublishing] = useState(false);
  const editor = useMemo<Editor>(
    () => ({ store, saver, add: (after) => setAdding({ after }), publish: () => setPublishing(true) }),
    [store, saver],
  );
  useEffect(() => watchExamples(store), [store]);
  useEffect(() => watchPreview(store), [store]);
  useEffect(() => listen(store, saver), [store, saver]);
  return (
    <EditorContext value={editor}>
      <div className="editor" onClick={store.data.frame ? followInFrame : undefined}>
        <Header />
        <Conflict />
        <div className="editor-body">
          <ReactFlowProvider>
            <Canvas />
          </ReactFlowProvider>
          <Side />
        </div>
        {adding && <Palette after={adding.after} close={() => setAdding(null)} />}
        {publishing && <Publish close={() => setPublishing(false)} />}
      </div>
    </EditorContext>
  );
}

const isText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

function followInFrame(event: MouseEvent): void {
  const address = (event.target as Element).closest("a[href^='/']")?.getAttribute("href");
  if (address && fetchPage(address)) event.preventDefault();
}

/** Keys and the clipboard, while no dialogue is open. */
function listen(store: Store, saver: Saver): () => void {
  const drop = (): void => {
    const ids = store.state.selected;
    if (ids.length > 0) store.edit((doc) => remove(doc, ids));
  };
  const keys = (event: KeyboardEvent): void => {
    if (document.querySelector("dialog[open]")) return;
    const held = event.ctrlKey || event.metaKey;
    const key = event.code === "KeyZ" ? "z" : event.code === "KeyY" ? "y" : event.code === "KeyS" ? "s" : event.key;
    if (held && key === "z") (event.shiftKey ? store.redo() : store.undo());
    else if (held && key === "y") store.redo();
    else if (held && key === "s") void saver.flush();
    else if ((key === "Delete" || key === "Backspace") && !isText(event.target)) drop();
    else return;
    event.preventDefault();
  };
  const onCopy = (event: ClipboardEvent): void => {
    if (isText(event.target) || store.state.selected.length === 0 || !document.getSelection()?.isCollapsed) return;
    event.clipboardData?.setData("text/plain", JSON.stringify(copy(store.doc, store.state.selected)));
    event.preventDefault();
    if (event.type === "cut") drop();
  };
  const onPaste = (event: ClipboardEvent): void => {
    const fragment = isText(event.target) ? null : readFragment(event.clipboardData?.getData("text/plain") ?? "");
    if (!fragment || !store.canEdit) return;
    event.preventDefault();
    const made = paste(store.doc, fragment, (type) => store.types.get(type)?.trigger ?? false);
    store.edit(() => made.doc);
    store.set({ selected: made.ids });
  };
  document.addEventListener("keydown", keys);
  document.addEventListener("copy", onCopy);
  document.addEventListener("cut", onCopy);
  document.addEventListener("paste", onPaste);
  return () => {
    document.removeEventListener("keydown", keys);
    document.removeEventListener("copy", onCopy);
    document.removeEventListener("cut", onCopy);
    document.removeEventListener("paste", onPaste);
  };
}
