// The drawing: React Flow shows it, the store holds it. A block that was dragged keeps its place, and all others theirs.
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import {
  applyNodeChanges,
  Controls,
  MiniMap,
  Panel,
  ReactFlow,
  useReactFlow,
  type Connection,
  type Edge,
  type Node,
  type NodeChange,
} from "@xyflow/react";
import { t, tn } from "page/words";
import { BlockNode, type BlockData } from "./BlockNode.tsx";
import { Icon, useEditor } from "./context.tsx";
import { PlusEdge } from "./PlusEdge.tsx";
import { edgesOf, exitsOf, nodesOf, renewed } from "./drawing.ts";
import { useLabel } from "./labels.ts";
import { arrange } from "./layout.ts";
import { connect, place } from "./model.ts";
import { useStore } from "./store.ts";

const nodeTypes = { block: BlockNode };
const edgeTypes = { plus: PlusEdge };
const MAP_FROM = 8;
const PRO = { hideAttribution: true };
const isBetweenTwo = (wanted: Edge | Connection): boolean => wanted.source !== wanted.target;

export function Canvas(): ReactNode {
  const editor = useEditor();
  const { store } = editor;
  const doc = useStore(store, (state) => state.history.present);
  const checked = useStore(store, (state) => state.checked);
  const selected = useStore(store, (state) => state.selected);
  const trace = useStore(store, (state) => state.trace);
  const focus = useStore(store, (state) => state.focus);
  const label = useLabel();
  const exits = useMemo(() => exitsOf(store, doc), [store, doc, checked]);
  const shape = JSON.stringify(doc.blocks.map(({ id, position }) => [id, position, exits.get(id)?.length]));
  const places = useMemo(() => arrange(doc, (id) => (exits.get(id) ?? []).map((exit) => exit.id)), [shape, doc.links]);
  const made = useMemo(() => nodesOf(store, doc, exits, places, label), [store, doc, checked, trace, exits, places, label]);
  const titles = JSON.stringify(doc.blocks.map(({ title }) => title));
  const edges = useMemo(() => edgesOf(store, doc), [store, doc.links, titles, trace]);
  const named = useMemo(labels, []);
  const [nodes, setNodes] = useState<Node<BlockData>[]>(made);
  const flow = useReactFlow();

  useEffect(() => {
    const chosen = new Set(selected);
    setNodes((old) => {
      const known = new Map(old.map((node) => [node.id, node]));
      return made.map((node) => renewed(known.get(node.id), { ...node, selected: chosen.has(node.id) }));
    });
  }, [made, selected]);

  useEffect(() => {
    if (focus) void flow.fitView({ nodes: [{ id: focus.block }], maxZoom: 1, duration: 200, padding: 0.6 });
  }, [focus, flow]);

  // The pane at the side takes room from one side only; the drawing keeps its middle.
  const room = useRef<HTMLElement>(null);
  useEffect(() => {
    const element = room.current!;
    let width = element.clientWidth;
    const watch = new ResizeObserver(() => {
      const { x, y, zoom } = flow.getViewport();
      if (width > 0) void flow.setViewport({ x: x + (element.clientWidth - width) / 2, y, zoom });
      width = element.clientWidth;
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, [flow]);

  const onNodesChange = useCallback(
    (changes: NodeChange<Node<BlockData>>[]) => {
      setNodes((old) => applyNodeChanges(changes, old));
      const chosen = new Set(store.state.selected);
      for (const change of changes) if (change.type === "select") chosen[change.selected ? "add" : "delete"](change.id);
      const now = store.doc.blocks.map((block) => block.id).filter((id) => chosen.has(id));
      if (now.join("\n") !== store.state.selected.join("\n")) store.select(now);
      const dropped = changes.flatMap((one) => (one.type === "position" && one.dragging === false && one.position ? [[one.id, one.position]] : []));
      if (dropped.length > 0) {
        const all = flow.getNodes().map((node) => [node.id, node.position]);
        store.edit((doc) => place(doc, Object.fromEntries([...all, ...dropped])), "move");
      }
    },
    [flow, store],
  );

  const onConnect = useCallback(
    (made: Connection) =>
      store.edit((now) => connect(now, { from: made.source, port: made.sourceHandle ?? "next" }, made.target)),
    [store],
  );

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.target as HTMLElement).matches(".react-flow__node")) return;
    // The block has been chosen by now; its first field is where the keyboard is wanted next.
    requestAnimationFrame(() => document.querySelector<HTMLElement>("#inspector [data-first]")?.focus());
  };

  const tidy = (): void => {
    store.edit((now) => place(now, Object.fromEntries(now.blocks.map((block) => [block.id, undefined]))));
    requestAnimationFrame(() => void flow.fitView({ maxZoom: 1, duration: 200 }));
  };

  return (
    <section ref={room} className="canvas" aria-label={t("The drawing of the scenario")} onKeyDown={onKeyDown}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        onNodesChange={onNodesChange}
        onConnect={onConnect}
        isValidConnection={isBetweenTwo}
        nodesDraggable={store.canEdit}
        nodesConnectable={store.canEdit}
        edgesFocusable={false}
        nodeDragThreshold={4}
        connectionRadius={40}
        deleteKeyCode={null}
        selectionKeyCode="Shift"
        minZoom={0.15}
        maxZoom={1.6}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.2, minZoom: doc.blocks.length > 30 ? 0.15 : 0.5 }}
        colorMode={document.documentElement.dataset["bsTheme"] === "dark" ? "dark" : "light"}
        ariaLabelConfig={named}
        proOptions={PRO}
      >
        <Panel position="top-left" className="canvas-tools">
          {store.canEdit && (
            <>
              <button type="button" className="btn btn-sm" onClick={() => editor.add(null)}>
                <Icon name="plus" />
                {t("Block")}
              </button>
              <button type="button" className="btn btn-sm" onClick={tidy}>
                <Icon name="layout" />
                {t("Tidy up")}
              </button>
            </>
          )}
          <span className="visually-hidden">{tn("{n} block", "{n} blocks", doc.blocks.length)}</span>
        </Panel>
        <Controls showInteractive={false} position="bottom-left" />
        {doc.blocks.length >= MAP_FROM && <MiniMap pannable zoomable position="bottom-right" />}
      </ReactFlow>
      {doc.blocks.length === 0 && (
        <div className="canvas-empty">
          <p>{t("A scenario begins with what starts it.")}</p>
          {store.canEdit && (
            <button type="button" className="btn btn-primary" onClick={() => editor.add(null)}>
              {t("Choose the start")}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

function labels(): Record<string, unknown> {
  return {
    "node.a11yDescription.default": t("Enter opens the block, arrows move it, Delete takes it away."),
    "node.a11yDescription.keyboardDisabled": t("Enter opens the block."),
    "node.a11yDescription.ariaLiveMessage": ({ x, y }: { x: number; y: number }) =>
      t("The block stands at {x}, {y}", { x: Math.round(x), y: Math.round(y) }),
    "edge.a11yDescription.default": t("A link"),
    "controls.ariaLabel": t("Zoom"),
    "controls.zoomIn.ariaLabel": t("Larger"),
    "controls.zoomOut.ariaLabel": t("Smaller"),
    "controls.fitView.ariaLabel": t("Show everything"),
    "controls.interactive.ariaLabel": t("Lock"),
    "minimap.ariaLabel": t("Map of the scenario"),
    "handle.ariaLabel": t("Exit"),
  };
}
