// Tabs of a pane: arrows move between them, as people with a keyboard expect.
import { useId, type KeyboardEvent, type ReactNode } from "react";

export type Tab<Name extends string> = { name: Name; title: string };
type Props<Name extends string> = { label: string; tabs: Tab<Name>[]; chosen: Name; choose: (name: Name) => void; children: ReactNode };

export function Tabs<Name extends string>({ label, tabs, chosen, choose, children }: Props<Name>): ReactNode {
  const id = useId();
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.name === chosen);
    const next = tabs[(at + step + tabs.length) % tabs.length]!;
    choose(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  };
  return (
    <>
      <div className="pane-tabs" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((tab) => (
          <button key={tab.name} type="button" role="tab" id={`${id}-${tab.name}`} aria-selected={tab.name === chosen} aria-controls={`${id}-panel`}
            tabIndex={tab.name === chosen ? 0 : -1} onClick={() => choose(tab.name)}>
            {tab.title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`}>{children}</div>
    </>
  );
}
