-- GET of one URL. Arguments: headers as name=value.
require("report")

function init(args)
  for _, argument in ipairs(args) do
    local name, value = argument:match("([^=]+)=(.*)")
    wrk.headers[name] = value
  end
end
