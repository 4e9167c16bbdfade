// The token of Bitrix24's frame: kept in memory only, renewed before it is too old, absent outside the frame.
let token = null;
let renew = null;

export function keep(given, renewal) {
  token = given;
  renew = renewal;
}

export function authorize(headers) {
  if (token) headers["Authorization"] = `Bearer ${token}`;
  return headers;
}

export async function call(method, address, body, headers = {}) {
  const ask = () =>
    fetch(address, {
      method,
      headers: authorize(body === undefined ? { ...headers } : { "Content-Type": "application/json", ...headers }),
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      credentials: "same-origin",
    });
  let answer = await ask();
  if (answer.status === 401 && renew) {
    await renew();
    answer = await ask();
  }
  return answer;
}
