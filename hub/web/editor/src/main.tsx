// The scenario editor. The page calls `mount` with the place for it and the returned function when it goes away.
import "@xyflow/react/dist/style.css";
import "./editor.css";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { readJson } from "./json.ts";
import { Saver } from "./save.ts";
import { Store } from "./store.ts";
import type { Data } from "./types.ts";

export function mount(element: HTMLElement): () => void {
  const embedded = document.getElementById("editor-data");
  if (!embedded) throw new Error("the page says nothing of the scenario");
  const store = new Store(readJson(embedded.textContent ?? "") as Data);
  const saver = new Saver(store);
  const root = createRoot(element);
  root.render(<App store={store} saver={saver} />);
  return () => {
    saver.stop();
    root.unmount();
  };
}
