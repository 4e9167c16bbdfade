// Where blocks stand: top-down by themselves, unless somebody has put them somewhere.
import { Graph, layout } from "@dagrejs/dagre";
import type { Doc, Position } from "./model.ts";

export const WIDTH = 264;
export const HEIGHT = 96;
export const PORT_WIDTH = 104;
const GAP_X = 40;
const GAP_Y = 64;

export type Ports = (id: string) => readonly string[];

export function widthOf(ports: number): number {
  return Math.max(WIDTH, ports * PORT_WIDTH);
}

/** The place of every block. Without a place of its own a block stands where the layout puts it, or, among blocks that
 * were placed by hand, below the one that leads to it. */
export function arrange(doc: Doc, ports: Ports): Map<string, Position> {
  const placed = new Map<string, Position>();
  for (const block of doc.blocks) if (block.position) placed.set(block.id, block.position);
  if (placed.size === 0) return laidOut(doc, ports);
  if (placed.size < doc.blocks.length) {
    const automatic = laidOut(doc, ports);
    for (const block of doc.blocks) {
      if (placed.has(block.id)) continue;
      const parent = doc.links.find((link) => link.to === block.id && placed.has(link.from));
      const above = parent && placed.get(parent.from);
      const wanted = above ? { x: above.x, y: above.y + HEIGHT + GAP_Y } : automatic.get(block.id)!;
      placed.set(block.id, free(wanted, [...placed.values()]));
    }
  }
  return placed;
}

function free(wanted: Position, taken: Position[]): Position {
  const at = { ...wanted };
  while (taken.some((other) => Math.abs(other.x - at.x) < WIDTH && Math.abs(other.y - at.y) < HEIGHT)) {
    at.x += WIDTH + GAP_X;
  }
  return at;
}

function laidOut(doc: Doc, ports: Ports): Map<string, Position> {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: GAP_X, ranksep: GAP_Y });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const block of doc.blocks) {
    graph.setNode(block.id, { width: widthOf(ports(block.id).length), height: HEIGHT });
  }
  const known = new Set(doc.blocks.map((block) => block.id));
  // Exits in the order in which they are drawn, so that branches stand side by side without crossing.
  const inOrder = [...doc.links].sort((a, b) => ports(a.from).indexOf(a.port) - ports(b.from).indexOf(b.port));
  for (const link of inOrder) {
    if (known.has(link.from) && known.has(link.to)) graph.setEdge(link.from, link.to, {}, link.port);
  }
  layout(graph);
  const found = new Map<string, Position>();
  for (const block of doc.blocks) {
    const { x, y, width, height } = graph.node(block.id) as { x: number; y: number; width: number; height: number };
    found.set(block.id, { x: x - width / 2, y: y - height / 2 });
  }
  return found;
}
