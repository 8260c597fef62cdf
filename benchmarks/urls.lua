-- GET of URLs from a file, one a line, in turn. Arguments: file, headers as name=value.
require("report")

local urls, next_url = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    urls[#urls + 1] = line
  end
  for index = 2, #args do
    local name, value = args[index]:match("([^=]+)=(.*)")
    wrk.headers[name] = value
  end
end

function request()
  next_url = next_url % #urls + 1
  return wrk.format("GET", urls[next_url])
end
