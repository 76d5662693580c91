-- Sends the rows of ROWS_FILE in turn and checks each answer: 200, and a value that one of the rows has.
-- ROWS_FILE has a line per row: the expected value, a tab, the request body.
local bodies, expected = {}, {}
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrong = 0
  for line in io.lines(os.getenv("ROWS_FILE")) do
    local value, body = line:match("^(%S+)\t(.*)$")
    expected[string.format("%.7g", tonumber(value))] = true
    bodies[#bodies + 1] = wrk.format("POST", os.getenv("TARGET_PATH"), { ["Content-Type"] = "application/json" }, body)
  end
  at = 0
end

function request()
  at = at % #bodies + 1
  return bodies[at]
end

local pattern = os.getenv("VALUE_PATTERN")

function response(status, headers, body)
  local value = body:match(pattern)
  if status ~= 200 or not value or not expected[string.format("%.7g", tonumber(value))] then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local wrong = 0
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("wrong")
  end
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "p50_us": %.1f, "p99_us": %.1f, "wrong": %d, "socket_errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), wrong,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
