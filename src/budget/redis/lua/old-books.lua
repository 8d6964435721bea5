-- Deletes books of days and months that are over and in which nothing is open.
-- ARGV: epoch, token, lease (ms), first day that is kept, tenant, name after which to go on, most names.
-- Answers: ok, the last name or ''; or taken.
if not keepsLease(ARGV[2], ARGV[3]) then
  return { 'taken' }
end
local before, tenant, after = ARGV[4], ARGV[5], ARGV[6]
local index = root .. ':old-books'
local names = redis.call('ZRANGEBYLEX', index, after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, ARGV[7])
for _, name in ipairs(names) do
  local time, key = string.match(name, '^([^\n]*)\n(.*)$')
  if time < string.sub(before, 1, #time) then
    local lines = { { key = bookKey('key:usd:' .. time .. ':' .. key) } }
    if #time == 10 then
      lines[2] = { key = bookKey('tenant:usd:' .. time .. ':' .. tenant) }
    end
    readBooks(lines)
    local isOpen = false
    for _, line in ipairs(lines) do
      isOpen = isOpen or line.held ~= 0 or line.unresolved ~= 0
    end
    if not isOpen then
      for _, line in ipairs(lines) do
        redis.call('DEL', line.key)
      end
      redis.call('ZREM', index, name)
    end
  end
end
return { 'ok', #names < tonumber(ARGV[7]) and '' or names[#names] }
