// A document as what React Flow draws. What looks as before stays the same object: then it is not drawn again, and a
// drawing of hundreds of blocks follows the hand.
import type { Edge, Node } from "@xyflow/react";
import { tn } from "page/words";
import type { BlockData } from "./BlockNode.tsx";
import { spelled, type Label } from "./labels.ts";
import { HEIGHT, widthOf } from "./layout.ts";
import type { Doc, Position } from "./model.ts";
import type { Store } from "./store.ts";

export type Exits = ReadonlyMap<string, BlockData["exits"]>;

/** The exits of every block, and whether they lead somewhere. */
export function exitsOf(store: Store, doc: Doc): Exits {
  const linked = new Set(doc.links.map((link) => `${link.from}\n${link.port}`));
  return new Map(
    doc.blocks.map(({ id }) => [id, store.portsOf(id).map((port) => ({ ...port, linked: linked.has(`${id}\n${port.id}`) }))]),
  );
}

export function nodesOf(store: Store, doc: Doc, exitsBy: Exits, places: ReadonlyMap<string, Position>, label: Label): Node<BlockData>[] {
  const { checked, trace } = store.state;
  return doc.blocks.map((block) => {
    const type = store.types.get(block.type);
    const exits = exitsBy.get(block.id) ?? [];
    const title = block.title || type?.title || block.type;
    const problems = checked.problems.filter((problem) => problem.block === block.id);
    const step = trace?.steps.filter((one) => one.block === block.id).at(-1) ?? null;
    const summary = spelled(checked.blocks[block.id]?.summary ?? "", label);
    const said = problems.length > 0 ? `. ${tn("{n} problem", "{n} problems", problems.length)}` : "";
    return {
      id: block.id,
      type: "block",
      position: places.get(block.id)!,
      width: widthOf(exits.length),
      height: HEIGHT,
      ariaLabel: `${title}${summary ? `: ${summary}` : ""}${said}`,
      data: {
        title,
        icon: type?.icon ?? "info-circle",
        group: type?.group ?? "",
        trigger: type?.trigger ?? false,
        summary,
        exits,
        problems,
        step,
        skipped: trace !== null && step === null,
      },
    };
  });
}

export function edgesOf(store: Store, doc: Doc): Edge[] {
  const titles = new Map(doc.blocks.map((block) => [block.id, block.title || store.types.get(block.type)?.title || ""]));
  const taken = new Set(store.state.trace?.steps.map((step) => `${step.block}\n${step.port}`));
  return doc.links.map((link) => ({
    id: `${link.from}\n${link.port}`,
    source: link.from,
    sourceHandle: link.port,
    target: link.to,
    type: "plus",
    className: `link ${link.port === "error" ? "link-error" : ""} ${
      taken.has(`${link.from}\n${link.port}`) ? "link-taken" : ""
    }`,
    data: { title: titles.get(link.from) ?? link.from },
  }));
}

/** The node to draw: the old one where it looks the same; one that is being dragged stays under the hand. */
export function renewed(old: Node<BlockData> | undefined, fresh: Node<BlockData>): Node<BlockData> {
  if (!old) return fresh;
  const data = isAlike(old.data, fresh.data) ? old.data : fresh.data;
  const position = old.dragging || (old.position.x === fresh.position.x && old.position.y === fresh.position.y) ? old.position : fresh.position;
  const next: Node<BlockData> = { ...old, ...fresh, data, position };
  return isAlike(old, next) ? old : next;
}

/** Whether each of two values' parts is the same or says the same. */
function isAlike<Value extends object>(one: Value, other: Value): boolean {
  return (Object.keys(other) as (keyof Value)[]).every((name) => one[name] === other[name] || JSON.stringify(one[name]) === JSON.stringify(other[name]));
}
