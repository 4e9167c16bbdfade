// A text with chips: typing `{{` or the button opens the picker; below stands what it gives on the chosen example.
import { useEffect, useLayoutEffect, useRef, useState, type ClipboardEvent, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { t } from "page/words";
import { caret, draw, read, selected, setCaret } from "./chips.ts";
import { Icon, useEditor } from "./context.tsx";
import { ChipEditor } from "./Chip.tsx";
import { Given } from "./Given.tsx";
import { useLabel } from "./labels.ts";
import { Picker, type PickerHandle } from "./Picker.tsx";
import { parts, withPlace, type Part } from "./template.ts";
import { useStore } from "./store.ts";

type Props = {
  block: string;
  path: string;
  value: string;
  change: (text: string) => void;
  multiline: boolean;
  labelId: string;
  described: string | undefined;
  invalid: boolean;
  /** Told whether a value is being chosen. */
  choosing: (is: boolean) => void;
};
const EMOJI = "😊 👍 🙏 ❤️ 🎉 ✅ ❗ ❓ 📦 🚚 💳 📞 📍 🕐 📅 📎 🎁 ⭐ 🔥 ✨ 👋 😉 🤝 💬 📝 🛠️ 🏠 💰 🧾 🔔".split(" ");

export function TemplateField(props: Props): ReactNode {
  const { block, path, value, change, multiline, labelId, described, invalid, choosing } = props;
  const { store } = useEditor();
  const label = useLabel();
  const preview = useStore(store, (state) => state.previews[path]);
  const [open, setOpen] = useState<"typed" | "button" | "emoji" | null>(null);
  const [chip, setChip] = useState<number | null>(null);
  const [typed, setTyped] = useState("");
  const field = useRef<HTMLDivElement>(null);
  const picker = useRef<PickerHandle>(null);
  const at = useRef<number | null>(null);
  const drawn = useRef<{ text: string; label: unknown } | null>(null);

  const isChoosing = open === "typed" || open === "button";
  useEffect(() => {
    choosing(isChoosing);
    return () => choosing(false);
  }, [choosing, isChoosing]);

  useLayoutEffect(() => {
    const root = field.current!;
    if (drawn.current?.text === value && drawn.current.label === label && read(root) === value) return;
    const place = document.activeElement === root ? caret(root) : null;
    draw(root, value, label);
    drawn.current = { text: value, label };
    if (place !== null) setCaret(root, Math.min(at.current ?? place, value.length));
  }, [value, label]);

  const put = (text: string, place: number): void => {
    const root = field.current!;
    draw(root, text, label);
    drawn.current = { text, label };
    at.current = place;
    root.focus();
    setCaret(root, place);
    change(text);
  };

  /** Put something where the caret is; `isPicked` replaces the `{{` that opened the picker, and what was typed since. */
  const insert = (piece: string, isPicked = false): void => {
    const root = field.current!;
    const text = read(root);
    let [from, to] = (document.activeElement === root ? selected(root) : null) ?? [at.current ?? text.length, at.current ?? text.length];
    if (isPicked && open === "typed") from = text.lastIndexOf("{{", to - 1);
    to = Math.max(from, to);
    put(text.slice(0, from) + piece + text.slice(to), from + piece.length);
    setOpen(null);
  };

  const onInput = (): void => {
    const root = field.current!;
    const text = read(root);
    const place = caret(root) ?? text.length;
    at.current = place;
    const places = parts(text).filter((part) => part.kind === "place").length;
    if (places !== root.querySelectorAll("[data-text]").length) {
      draw(root, text, label);
      setCaret(root, place);
    }
    drawn.current = { text, label };
    const begun = /\{\{([^{}]*)$/.exec(text.slice(0, place));
    if (begun) {
      setTyped(begun[1]!);
      setOpen("typed");
    } else if (open === "typed") setOpen(null);
    change(text);
  };

  const places = parts(value).filter((part): part is Extract<Part, { kind: "place" }> => part.kind === "place");
  /** Change the nth chip, from where it is clicked, or by F2 with the caret behind it. */
  const edit = (nth: number): void => {
    if (!store.canEdit || !places[nth]) return;
    setOpen(null);
    setChip(nth);
  };
  const onClick = (event: MouseEvent): void => {
    const clicked = (event.target as Element).closest("[data-text]");
    if (clicked) edit([...field.current!.querySelectorAll("[data-text]")].indexOf(clicked));
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "F2") {
      event.preventDefault();
      const before = parts(value.slice(0, caret(field.current!) ?? value.length)).filter((part) => part.kind === "place").length;
      return edit(Math.max(before - 1, 0));
    }
    if (open === "typed" && picker.current?.key(event)) return;
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (multiline) insert("\n");
  };

  const onCopy = (event: ClipboardEvent): void => {
    const range = selected(field.current!);
    if (!range || range[0] === range[1]) return;
    const text = read(field.current!);
    event.clipboardData.setData("text/plain", text.slice(...range));
    event.preventDefault();
    if (event.type === "cut" && store.canEdit) put(text.slice(0, range[0]) + text.slice(range[1]), range[0]);
  };

  const onPaste = (event: ClipboardEvent): void => {
    event.preventDefault();
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n");
    insert(multiline ? text : text.replace(/\n+/g, " "));
  };

  const toggle = (what: "button" | "emoji") => () => setOpen(open === what ? null : what);
  return (
    <div className="template">
      <div className={`template-box ${invalid ? "is-invalid" : ""}`}>
        <div
          ref={field}
          className={`template-text ${multiline ? "template-many" : ""}`}
          role="textbox"
          tabIndex={0}
          aria-multiline={multiline}
          aria-labelledby={labelId}
          aria-describedby={described}
          aria-invalid={invalid}
          aria-readonly={!store.canEdit}
          contentEditable={store.canEdit}
          suppressContentEditableWarning
          data-path={path}
          spellCheck={multiline}
          onInput={onInput}
          onKeyDown={onKeyDown}
          onClick={onClick}
          onKeyUp={() => (at.current = caret(field.current!) ?? at.current)}
          onMouseUp={() => (at.current = caret(field.current!) ?? at.current)}
          onCopy={onCopy}
          onCut={onCopy}
          onPaste={onPaste}
          onDrop={(event) => event.preventDefault()}
        />
        {store.canEdit && (
          <div className="template-tools">
            <button type="button" aria-label={t("Insert a value")} aria-expanded={open === "button"} onMouseDown={(e) => e.preventDefault()} onClick={toggle("button")}>
              <Icon name="braces" />
            </button>
            {multiline && (
              <button type="button" aria-label={t("Insert an emoji")} aria-expanded={open === "emoji"} onMouseDown={(e) => e.preventDefault()} onClick={toggle("emoji")}>
                <Icon name="mood-smile" />
              </button>
            )}
          </div>
        )}
      </div>
      {isChoosing && (
        <Picker
          ref={picker}
          block={block}
          typed={open === "typed" ? typed : null}
          pick={(picked) => insert(`{{${picked}}}`, true)}
          close={() => {
            setOpen(null);
            field.current?.focus();
          }}
        />
      )}
      {open === "emoji" && (
        <div className="emoji" role="group" aria-label={t("Emoji")}>
          {EMOJI.map((one) => (
            <button type="button" key={one} onMouseDown={(event) => event.preventDefault()} onClick={() => insert(one)}>
              {one}
            </button>
          ))}
        </div>
      )}
      {chip !== null && places[chip] && (
        <ChipEditor
          key={chip}
          place={places[chip]}
          label={label(places[chip].path)}
          save={(written) => {
            setChip(null);
            const next = withPlace(value, chip, written);
            put(next, next.length);
          }}
          close={() => {
            setChip(null);
            field.current?.focus();
          }}
        />
      )}
      {preview && (
        <Given
          block={block}
          preview={preview}
          multiline={multiline}
          label={label}
          fill={(path) => edit(places.findIndex((place) => place.path === path))}
        />
      )}
    </div>
  );
}
