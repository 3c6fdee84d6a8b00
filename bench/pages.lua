-- Each request carries the next of the headers in a file, one on each line.
local requests, at = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local name, value = line:match("^(.-): (.*)$")
    requests[#requests + 1] = wrk.format("GET", nil, { [name] = value })
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
