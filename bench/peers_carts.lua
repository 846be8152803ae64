-- One shopper for each connection, whose cookies are known; each request puts one more product into a cart.
-- Arguments: path ("{product}" is the number of one), first product, last product, form, a cookie header each.
local path, first, last, form, cookies
local number, started = 0, 0

function setup(thread)
  thread:set("offset", started)
  started = started + 1
end

function init(args)
  path, first, last, form = args[1], tonumber(args[2]), tonumber(args[3]), args[4]
  cookies = args[5 + offset]
  number = offset * 7
end

function request()
  local product = tostring(first + number % (last - first + 1))
  number = number + 1
  local headers = {}
  for name, value in pairs(wrk.headers) do headers[name] = value end
  headers["Content-Type"] = "application/x-www-form-urlencoded"
  headers["Cookie"] = cookies
  local body = string.gsub(form, "{product}", product)
  return wrk.format("POST", (string.gsub(path, "{product}", product)), headers, body)
end
