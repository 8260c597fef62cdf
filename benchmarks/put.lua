-- PUT of bodies from a file, one a line, each to a fresh UUID. Arguments: path, file, headers as name=value.
require("report")

local bodies, next_body, path = {}, 0, nil

local function uuid()
  local random = math.random
  return string.format(
    "%08x-%04x-4%03x-8%03x-%06x%06x",
    random(0, 0xffffffff), random(0, 0xffff), random(0, 0xfff), random(0, 0xfff), random(0, 0xffffff), random(0, 0xffffff)
  )
end

function init(args)
  math.randomseed(os.time() + math.floor(os.clock() * 1000000))
  path = args[1]
  for line in io.lines(args[2]) do
    bodies[#bodies + 1] = line
  end
  for index = 3, #args do
    local name, value = args[index]:match("([^=]+)=(.*)")
    wrk.headers[name] = value
  end
end

function request()
  next_body = next_body % #bodies + 1
  return wrk.format("PUT", path .. uuid(), nil, bodies[next_body])
end
