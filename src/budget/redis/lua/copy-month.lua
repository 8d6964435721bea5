-- Reads the totals and books of some days of one month, and up to which entry of the stream they count, at one moment.
-- ARGV: epoch, token, lease (ms), tenant, month, days.
-- Answers: ok, last entry or '', then lists: day and totals of it as a flat list, folded sums (day, sum), books (name, settled).
if not keepsLease(ARGV[2], ARGV[3]) then
  return { 'taken' }
end
local tenant, month = ARGV[4], ARGV[5]
local last = redis.call('XREVRANGE', root .. ':past', '+', '-', 'COUNT', 1)[1]
local totals, folded, names, isNamed = {}, {}, {}, {}
local function name(book)
  if not isNamed[book] then
    isNamed[book] = true
    names[#names + 1] = book
  end
end
for at = 6, #ARGV do
  local day = ARGV[at]
  local all = redis.call('HGETALL', root .. ':daily:' .. day)
  totals[#totals + 1] = { day, all }
  local sum = redis.call('HGET', root .. ':folded', day)
  if sum then
    folded[#folded + 1] = day
    folded[#folded + 1] = sum
  end
  name('tenant:usd:' .. day .. ':' .. tenant)
  for i = 1, #all, 2 do
    local key = string.match(all[i], '^[^\n]*')
    name('key:usd:' .. day .. ':' .. key)
    name('key:usd:' .. month .. ':' .. key)
  end
end
local books = {}
for _, book in ipairs(names) do
  local found = redis.call('GET', bookKey(book))
  if found then
    books[#books + 1] = book
    books[#books + 1] = string.match(found, '^%d+')
  end
end
return { 'ok', last and last[1] or '', totals, folded, books }
