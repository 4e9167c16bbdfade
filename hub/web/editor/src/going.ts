// Other pages, from within the editor.

type Htmx = { ajax: (method: string, address: string, how: object) => Promise<void> };

/** In Bitrix24's frame there is no cookie: pages are fetched with the token, as htmx does with the links it has made. */
export function fetchPage(address: string): boolean {
  const { htmx } = window as unknown as { htmx?: Htmx };
  void htmx?.ajax("GET", address, { target: "#app", select: "#app", swap: "outerHTML" });
  return htmx !== undefined;
}

export function goTo(address: string, isInFrame: boolean): void {
  if (!isInFrame || !fetchPage(address)) window.location.assign(address);
}
