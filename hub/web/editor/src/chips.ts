// A text with places in an editable element: each place is a chip, one unit for the caret, and the text is read back
// from it exactly as it was. Offsets count letters of the text, chips with all of theirs.
import { t } from "page/words";
import type { Label } from "./labels.ts";
import { formTitle } from "./forms.ts";
import { defaultOf, parts } from "./template.ts";

export function draw(root: HTMLElement, text: string, label: Label): void {
  const nodes: Node[] = parts(text).map((part) => {
    if (part.kind === "text") return document.createTextNode(part.text);
    const chip = document.createElement("span");
    chip.className = "chip";
    chip.contentEditable = "false";
    chip.dataset["text"] = part.text;
    chip.title = part.text;
    const { text, others } = defaultOf(part.filters);
    const shown = label(part.path) + (others ? ` | ${formTitle(others)}` : "");
    chip.textContent = text ? t("{value} or “{text}”", { value: shown, text }) : shown;
    return chip;
  });
  // A line break at the end, and a chip at either end, need something after or before which the caret can stand.
  if (text.endsWith("\n") || nodes.at(-1) instanceof HTMLElement) nodes.push(end());
  if (nodes[0] instanceof HTMLElement) nodes.unshift(document.createTextNode(""));
  root.replaceChildren(...nodes);
}

function end(): HTMLElement {
  const line = document.createElement("br");
  line.dataset["end"] = "";
  return line;
}

export function read(node: Node): string {
  let text = "";
  for (const child of node.childNodes) {
    if (child instanceof Text) text += child.data;
    else if (child instanceof HTMLElement) text += textOf(child, text !== "");
  }
  return text.replace(/\u00a0/g, " ");
}

function textOf(element: HTMLElement, isLater: boolean): string {
  if (element.dataset["text"] !== undefined) return element.dataset["text"];
  if (element.tagName === "BR") return element.dataset["end"] === undefined ? "\n" : "";
  return (element.tagName === "DIV" && isLater ? "\n" : "") + read(element);
}

/** Where the caret is; null when it is elsewhere. */
export function caret(root: HTMLElement): number | null {
  const selection = document.getSelection();
  if (!selection?.focusNode || !root.contains(selection.focusNode)) return null;
  return offsetOf(root, selection.focusNode, selection.focusOffset);
}

/** The selected part as offsets, the smaller one first. */
export function selected(root: HTMLElement): [number, number] | null {
  const selection = document.getSelection();
  if (!selection?.anchorNode || !root.contains(selection.anchorNode)) return null;
  const at = offsetOf(root, selection.anchorNode, selection.anchorOffset);
  const to = caret(root) ?? at;
  return at < to ? [at, to] : [to, at];
}

function offsetOf(root: HTMLElement, node: Node, offset: number): number {
  const range = document.createRange();
  range.setStart(root, 0);
  const chip = (node instanceof Element ? node : node.parentElement)?.closest<HTMLElement>("[data-text]");
  if (chip && root.contains(chip)) range.setEndAfter(chip);
  else range.setEnd(node, offset);
  return read(range.cloneContents()).length;
}

export function setCaret(root: HTMLElement, offset: number): void {
  const selection = document.getSelection();
  if (!selection) return;
  let left = offset;
  for (const [at, child] of [...root.childNodes].entries()) {
    if (child instanceof Text) {
      if (left <= child.data.length) return selection.collapse(child, left);
      left -= child.data.length;
    } else if (child instanceof HTMLElement) {
      const length = textOf(child, true).length;
      if (left < length || (child.dataset["end"] !== undefined && left === 0)) return selection.collapse(root, at);
      left -= length;
    }
  }
  selection.collapse(root, root.childNodes.length);
}
