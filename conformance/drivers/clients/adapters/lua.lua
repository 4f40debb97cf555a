-- The clients in Lua that the kit has, for line_driver.py: `lua lua.lua socket` or `lua lua.lua http`.
local which = arg[1]
local limit = 5

local function one_line(text) return (tostring(text):gsub("[\r\n\t]", " ")) end

local clients = {}

function clients.socket(http)
  local ltn12 = require "ltn12"
  http.TIMEOUT = limit
  return require("socket")._VERSION:match("%d[%d.]*"), function(url)
    local pieces = {}
    local done, code, fields, line = http.request { url = url, redirect = false, sink = ltn12.sink.table(pieces) }
    if not done or type(code) ~= "number" then error(code, 0) end
    local list = {}
    for name, value in pairs(fields or {}) do list[#list + 1] = { name, value } end
    return code, (line or ""):match("^HTTP/%S+ %d+ ?(.*)$") or "", list, table.concat(pieces)
  end
end

function clients.http(request)
  return require("http.version").version, function(url)
    local asked = request.new_from_uri(url)
    asked.follow_redirects, asked.proxies = false, nil
    local head, stream = asked:go(limit)
    if not head then error(stream, 0) end
    local content, why = stream:get_body_as_string(limit)
    if not content then error(why, 0) end
    local list = {}
    for name, value in head:each() do
      if name:sub(1, 1) ~= ":" then list[#list + 1] = { name, value } end
    end
    stream:shutdown()
    return head:get(":status"), "\0", list, content
  end
end

local module = which == "socket" and "socket.http" or "http.request"
local found, client = pcall(require, module)
if not found then
  print("N Lua has no module " .. module)
  os.exit()
end
local version, fetch = clients[which](client)
print("V " .. version)
io.flush()
for url in io.lines() do
  local done, status, reason, fields, content = pcall(fetch, url)
  if done then
    local head = one_line(reason)
    for _, pair in ipairs(fields) do head = head .. "\n" .. pair[1] .. ": " .. one_line(pair[2]) end
    io.write("R ", status, " ", #head, " ", #content, "\n", head, content)
  else
    io.write("E error\t", one_line(status), "\n")
  end
  io.flush()
end
