// What people call the values that stand in texts.
import { useCallback } from "react";
import { useEditor } from "./context.tsx";
import { useStore } from "./store.ts";
import { spoken } from "./template.ts";

/** The name of a value by its path: what the portal or the author calls it, else the path in words. */
export function useLabel(): (path: string) => string {
  const { store } = useEditor();
  const variables = useStore(store, (state) => state.checked.variables);
  return useCallback(
    (path: string): string => {
      const title = variables.find((known) => known.path === path)?.title;
      return title && title !== path ? title : spoken(path);
    },
    [variables],
  );
}
