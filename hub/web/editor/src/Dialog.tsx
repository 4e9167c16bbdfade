// A dialogue of the browser's own: it keeps the focus, and Escape or a click beside it closes it.
import { useEffect, useRef, type ReactNode } from "react";
import { t } from "page/words";
import { Icon } from "./context.tsx";

type Props = { title: string; close: () => void; children: ReactNode; className?: string };

export function Dialog({ title, close, children, className = "" }: Props): ReactNode {
  const place = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = place.current;
    const before = document.activeElement as HTMLElement | null;
    dialog?.showModal(); // which puts the focus on the first button
    dialog?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => {
      dialog?.close();
      before?.focus?.();
    };
  }, []);
  return (
    <dialog
      ref={place}
      className={`editor-dialog ${className}`}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => event.target === place.current && close()}
    >
      <div className="editor-dialog-body">
        <div className="editor-dialog-head">
          <h2>{title}</h2>
          <button type="button" className="btn btn-icon" aria-label={t("Close")} onClick={close}>
            <Icon name="x" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
