-- A shop's order as nested JSON, about 600 bytes; a new id each, 500 chats by turns. Counts answers that are not 2xx.
local n, threads = 0, 0
local prefix = os.getenv("BENCH_PREFIX") or "r"
local head = { ["Content-Type"] = "application/json" }

function setup(thread)
  threads = threads + 1
  thread:set("place", threads)
end

function request()
  n = n + 1
  return wrk.format("POST", nil, head,
    '{"event":"ONCRMDEALADD","id":"' .. prefix .. place .. "-" .. n .. '","chat_id":' .. 10000 + n % 500
    .. ',"customer":{"name":"Ann Example","phone":"+10005550100","tags":["vip","retail"]},'
    .. '"payment":[{"name":"Order 17","amount":1200.5,"currency":"EUR","items":[{"sku":"A1","qty":2,"price":300.25},'
    .. '{"sku":"B7","qty":1,"price":600}]},{"name":"Delivery","amount":9.9,"currency":"EUR","email1":"ann@example.org",'
    .. '"items":[]}],"meta":{"source":"shop","ts":1700000000,"utm":{"campaign":"spring","medium":"mail"}}}')
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('JSON {"requests":%d,"per_s":%.1f,"p50_ms":%.3f,"p99_ms":%.3f,"bad":%d}\n',
    summary.requests, summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
