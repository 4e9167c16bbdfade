// Scripts of the page that the editor shares with it: the frame's token and the words have one source.
declare module "page/session" {
  export function call(
    method: string,
    address: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>;
}
declare module "page/words" {
  export function t(english: string, values?: Record<string, unknown>): string;
  export function tn(one: string, many: string, n: number, values?: Record<string, unknown>): string;
}
declare module "page/toast" {
  export function toast(
    text: string,
    options?: { action?: () => void; label?: string; tone?: "ok" | "bad"; seconds?: number },
  ): void;
}
declare module "*.css";
