-- Repeats one request and checks every response. Arguments: the method, the status and a substring
-- of the body of a correct response, and the body to send. Each thread loads one of the ports in
-- WRK_PORTS. Prints a line of JSON, latency in ms.
local status, substring

function init(args)
  wrk.method, status, substring = args[1], tonumber(args[2]), args[3]
  if args[4] then
    wrk.body = args[4]
    wrk.headers["Content-Type"] = "application/json"
  end
end

correct, incorrect = 0, 0

function response(actual, _, body)
  if actual == status and string.find(body, substring, 1, true) then
    correct = correct + 1
  else
    incorrect = incorrect + 1
  end
end

local threads, ports = {}, {}
for port in string.gmatch(os.getenv("WRK_PORTS"), "%d+") do
  table.insert(ports, port)
end

function setup(thread)
  table.insert(threads, thread)
  thread.addr = wrk.lookup(wrk.host, ports[#threads])[1]
end

function done(summary, latency)
  local correct, incorrect = 0, 0
  for _, thread in ipairs(threads) do
    correct = correct + thread:get("correct")
    incorrect = incorrect + thread:get("incorrect")
  end
  local errors = summary.errors
  print(string.format(
    '{"correct":%d,"incorrect":%d,"errors":%d,"seconds":%f,"p50":%f,"p95":%f,"p99":%f}',
    correct, incorrect, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3
  ))
end
