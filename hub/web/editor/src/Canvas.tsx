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
import { arrange, HEIGHT, widthOf } from "./layout.ts";
import { connect, place, type Doc } from "./model.ts";
import { useStore, type Store } from "./store.ts";

const nodeTypes = { block: BlockNode };
const edgeTypes = { plus: PlusEdge };
const MAP_FROM = 8;

export function Canvas(): ReactNode {
  const editor = useEditor();
  const { store } = editor;
  const doc = useStore(store, (state) => state.history.present);
  const checked = useStore(store, (state) => state.checked);
  const selected = useStore(store, (state) => state.selected);
  const trace = useStore(store, (state) => state.trace);
  const focus = useStore(store, (state) => state.focus);
  const made = useMemo(() => nodesOf(store, doc), [store, doc, checked, trace]);
  const edges = useMemo(() => edgesOf(store, doc), [store, doc, checked, trace]);
  const [nodes, setNodes] = useState<Node<BlockData>[]>(made);
  const flow = useReactFlow();

  useEffect(() => {
    const chosen = new Set(selected);
    setNodes((old) => {
      const known = new Map(old.map((node) => [node.id, node]));
      return made.map((node) => {
        const { measured } = known.get(node.id) ?? {};
        return { ...node, selected: chosen.has(node.id), ...(measured && { measured }) };
      });
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
      const next = applyNodeChanges(changes, nodes);
      setNodes(next);
      if (changes.some((change) => change.type === "select")) {
        const now = next.filter((node) => node.selected).map((node) => node.id);
        if (now.join("\n") !== store.state.selected.join("\n")) store.select(now);
      }
      const moved = changes.some((change) => change.type === "position" && change.dragging === false);
      if (moved) {
        const positions = Object.fromEntries(next.map((node) => [node.id, node.position]));
        store.edit((now) => place(now, positions), "move");
      }
    },
    [nodes, store],
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
        isValidConnection={(wanted) => wanted.source !== wanted.target}
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
        ariaLabelConfig={labels()}
        proOptions={{ hideAttribution: true }}
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

function nodesOf(store: Store, doc: Doc): Node<BlockData>[] {
  const ports = (id: string): string[] => store.portsOf(id).map((port) => port.id);
  const places = arrange(doc, ports);
  const { checked, trace } = store.state;
  const linked = new Set(doc.links.map((link) => `${link.from}\n${link.port}`));
  return doc.blocks.map((block) => {
    const type = store.types.get(block.type);
    const exits = store.portsOf(block.id).map((port) => ({ ...port, linked: linked.has(`${block.id}\n${port.id}`) }));
    const title = block.title || type?.title || block.type;
    const problems = checked.problems.filter((problem) => problem.block === block.id);
    const step = trace?.steps.filter((one) => one.block === block.id).at(-1) ?? null;
    const summary = checked.blocks[block.id]?.summary ?? "";
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

function edgesOf(store: Store, doc: Doc): Edge[] {
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
