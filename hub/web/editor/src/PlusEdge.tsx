// A link with a «+» in its middle that puts a block in between.
import type { ReactNode } from "react";
import { BaseEdge, EdgeLabelRenderer, getSmoothStepPath, type EdgeProps } from "@xyflow/react";
import { t } from "page/words";
import { Icon, useEditor } from "./context.tsx";

export function PlusEdge(props: EdgeProps): ReactNode {
  const { store, add } = useEditor();
  const { sourceX, sourceY, sourcePosition, targetX, targetY, targetPosition } = props;
  const [path, x, y] = getSmoothStepPath({ sourceX, sourceY, sourcePosition, targetX, targetY, targetPosition, borderRadius: 12 });
  const block = (props.data as { title: string } | undefined)?.title ?? "";
  return (
    <>
      <BaseEdge id={props.id} path={path} interactionWidth={16} />
      {store.canEdit && (
        <EdgeLabelRenderer>
          <button
            type="button"
            className="plus nodrag nopan"
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
            aria-label={t("Insert a block after “{block}”", { block })}
            onClick={() => add({ from: props.source, port: props.sourceHandleId ?? "next" })}
          >
            <Icon name="plus" />
          </button>
        </EdgeLabelRenderer>
      )}
    </>
  );
}
