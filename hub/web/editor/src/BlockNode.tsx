// One block of the drawing: what it is, what it does, its exits, and how its last test went.
import { memo, type ReactNode } from "react";
import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { t, tn } from "page/words";
import { Icon, useEditor } from "./context.tsx";
import type { Port, Problem, Step } from "./types.ts";

export type BlockData = {
  title: string;
  icon: string;
  group: string;
  trigger: boolean;
  summary: string;
  exits: (Port & { linked: boolean })[];
  problems: Problem[];
  step: Step | null;
  skipped: boolean;
};

export const BlockNode = memo(function BlockNode({ id, data }: NodeProps<Node<BlockData>>): ReactNode {
  const { store, add } = useEditor();
  const bad = data.problems.some((problem) => problem.severity === "error");
  const many = data.exits.length > 1;
  return (
    <div className={`block block-${data.group} ${bad ? "block-bad" : ""} ${data.skipped ? "block-skipped" : ""}`} data-testid={`block-${id}`}>
      {!data.trigger && <Handle type="target" position={Position.Top} isConnectableStart={false} />}
      <div className="block-head">
        <Icon name={data.icon} />
        <span className="block-title" title={data.title}>{data.title}</span>
        {data.problems.length > 0 && (
          <span
            className={`block-problems ${bad ? "" : "block-warned"}`}
            title={data.problems.map((problem) => problem.message).join("\n")}
          >
            <Icon name="alert-triangle" />
            <span aria-label={tn("{n} problem", "{n} problems", data.problems.length)} role="img">
              {data.problems.length}
            </span>
          </span>
        )}
      </div>
      {data.step && <StepMark id={id} step={data.step} />}
      {data.skipped && <span className="step step-off">{t("skipped")}</span>}
      <div className="block-summary">{data.summary}</div>
      <div className="block-exits">
        {data.exits.map((exit) => (
          <div className="exit" key={exit.id} data-testid={`port-${id}-${exit.id}`}>
            {many && <span className="exit-title">{exit.title}</span>}
            <Handle type="source" id={exit.id} position={Position.Bottom} />
            {!exit.linked && store.canEdit && (
              <button
                type="button"
                className="plus plus-exit nodrag nopan"
                aria-label={t("Add a block after “{block}”, exit “{exit}”", { block: data.title, exit: exit.title })}
                onClick={(event) => {
                  event.stopPropagation();
                  add({ from: id, port: exit.id });
                }}
              >
                <Icon name="plus" />
              </button>
            )}
          </div>
        ))}
      </div>
    </div>
  );
});

function StepMark({ id, step }: { id: string; step: Step }): ReactNode {
  const failed = step.status === "failed" || step.error !== null;
  const waited = step.status === "waiting";
  const name = failed ? "circle-x" : waited ? "clock" : "circle-check";
  const text = failed ? t("failed") : waited ? t("waits") : t("done");
  return (
    <span className={`step ${failed ? "step-bad" : "step-ok"}`} data-testid={`run-step-${id}`}>
      <Icon name={name} />
      <span>{step.ms ? t("{text}, {ms} ms", { text, ms: step.ms }) : text}</span>
    </span>
  );
}
