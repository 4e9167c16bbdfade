// Calls of the management API, with errors as exceptions that say what the server said.
import { call } from "page/session";
import { t } from "page/words";
import { readJson } from "./json.ts";

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: Record<string, unknown>;

  constructor(status: number, detail: Record<string, unknown>) {
    const said = detail["detail"] ?? detail["title"];
    super(typeof said === "string" ? said : t("The server did not answer."));
    this.status = status;
    this.code = typeof detail["code"] === "string" ? detail["code"] : "";
    this.detail = detail;
  }
}

export async function api<Answer>(
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<Answer> {
  let answer: Response;
  let text: string;
  try {
    answer = await call(method, `/api/v1${path}`, body, headers);
    text = await answer.text();
  } catch {
    throw new ApiError(0, {}); // the network, which says no more than that
  }
  const isJson = /json/.test(answer.headers.get("Content-Type") ?? "");
  const found: unknown = isJson && text ? readJson(text) : text;
  if (!answer.ok) throw new ApiError(answer.status, isJson ? (found as Record<string, unknown>) : {});
  return found as Answer;
}
