-- One request, over and over. Arguments: its method, the status and a part of the body that tell a
-- right answer, and the body to send. Prints one line of JSON, with times in ms.
local status, part

function init(args)
  wrk.method, status, part = args[1], tonumber(args[2]), args[3]
  if args[4] then
    wrk.body = args[4]
    wrk.headers["Content-Type"] = "application/json"
  end
end

right, wrong = 0, 0

function response(got, _, body)
  if got == status and string.find(body, part, 1, true) then
    right = right + 1
  else
    wrong = wrong + 1
  end
end

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function done(summary, latency)
  local right, wrong = 0, 0
  for _, thread in ipairs(threads) do
    right = right + thread:get("right")
    wrong = wrong + thread:get("wrong")
  end
  local errors = summary.errors
  print(string.format(
    '{"right":%d,"wrong":%d,"broken":%d,"seconds":%f,"p50":%f,"p99":%f}',
    right, wrong, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
  ))
end
