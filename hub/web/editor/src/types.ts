// Shapes that the API gives and takes.
import type { Doc, Json } from "./model.ts";

export type Schema = {
  type?: string;
  title?: string;
  description?: string;
  enum?: string[];
  const?: Json;
  default?: Json;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  "x-order"?: number;
  "x-widget"?: string;
  "x-titles"?: Record<string, string>;
  "x-more"?: boolean;
  "x-nullable"?: boolean;
  "x-suggest"?: "crm_fields" | "paths";
  "x-channels"?: string[];
  "x-when"?: Record<string, string[]>;
};

export type Port = { id: string; title: string };
export type BlockType = {
  type: string;
  version: number;
  title: string;
  about: string;
  group: string;
  icon: string;
  trigger: boolean;
  schema: Schema;
  default: Record<string, Json>;
  ports: Port[];
};
export type Output = { path: string; name: string; title: string; type: string };
export type Drawn = { title: string; ports: Port[]; outputs: Output[]; summary: string };
export type Problem = {
  code: string;
  message: string;
  block: string | null;
  path: string | null;
  severity: "error" | "warning";
};
export type Known = { path: string; title: string; type: string; from: string };
export type Checked = { problems: Problem[]; blocks: Record<string, Drawn>; variables: Known[] };

export type Links = { request: string; token_only: string; result: string };
export type Scenario = {
  id: number;
  name: string;
  enabled: boolean;
  version: number;
  /** What is newest: `8`, or `8.3` after three more drafts of one person. */
  revision: string;
  published: boolean;
  published_version: number | null;
  links: Links | null;
  updated_at: string;
};
export type Version = { version: number; published: boolean; created_at: string; note?: string; by?: string | null };

export type Example = {
  id: string;
  kind: "request" | "card";
  /** What became of a request. */
  outcome: string | null;
  title: string;
  at: string | null;
  value: Json;
  /** Of a card: what a dry run takes as its body. */
  event: Json;
  warnings: unknown[];
};
export type Place = { expression: string; value: Json; source: string | null; reason: string | null };
export type Preview = {
  text: string;
  places: Place[];
  problems: { message: string }[];
  length: number;
  parts: number;
};
/** A place as a trace tells of it. `missing` says why it is empty. */
export type Filled = { path: string; source: string | null; text: string; missing: string | null };
/** A text that a block read, as it is written and as it was filled. */
export type Input = { template: Json; value: Json; places: Filled[] };
export type Step = {
  block: string;
  status: string;
  port: string | null;
  input: Input[] | null;
  output: Json;
  error: { code: string; message: string } | null;
  ms: number | null;
};
export type Trace = {
  steps: Step[];
  /** What a dry run would send; a run that was real has none. */
  planned?: { line: string; chat_id: string; messenger: string; text: string }[];
  result: Json;
  status?: string;
  state?: string;
};
export type Live = {
  version: number;
  published: number | null;
  enabled: boolean;
  accepted_24h: number;
  failed_24h: number;
  last_request: { id: string; at: string; state: string } | null;
  editors: string[];
};
/** Kept requests of the last days that start a scenario or would have. */
export type Frequency = { count: number; days: number };
export type Compared = {
  count: number;
  changed: number;
  items: { request: string; title: string; before: string[]; after: string[]; status_before: string; status_after: string }[];
};
export type Channel = { kind: string; title: string };
export type Line = { id: string; name: string; channel: string; state: string };

/** A state in words, with its tone and the name of its sign. */
export type Shown = { text: string; tone: string; sign: string };

export type Data = {
  scenario: Scenario;
  document: Doc;
  version: number;
  checked: Checked;
  blocks: BlockType[];
  language: string;
  me: { name: string; role: string; own_numbers: string[] };
  frame: boolean;
  addresses: Record<string, string>;
  /** Of the portal, for messages that have none of their own. */
  quiet_hours: { from: string; to: string } | null;
  states: Record<"message" | "line", Record<string, Shown>>;
  /** A run that is to be drawn on the blocks, and what it began with. */
  run: { trace: Trace & Ran; example: Example | null } | null;
};
/** What a trace of a real run also says. */
export type Ran = { id: string; version: number; created_at: string; error: { code: string; message: string } | null };
