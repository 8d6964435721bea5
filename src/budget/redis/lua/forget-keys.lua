-- Gives the totals that some keys have on one day to nobody, and with each the same money in the books of the day and the month.
-- ARGV: epoch, token, lease (ms), day, name for nobody, keys.
-- Answers: ok, number of totals; or taken.
if not keepsLease(ARGV[2], ARGV[3]) then
  return { 'taken' }
end
local day, nobody = ARGV[4], ARGV[5]
local isGone = {}
for at = 6, #ARGV do
  isGone[ARGV[at]] = true
end

local function moveBook(time, key, amount)
  local lines = {
    { key = bookKey('key:usd:' .. time .. ':' .. key) },
    { key = bookKey('key:usd:' .. time .. ':' .. nobody) },
  }
  if redis.call('EXISTS', lines[1].key) == 0 then
    return
  end
  readBooks(lines)
  -- Retention may have deleted the book, and it may have begun anew.
  local moved = math.min(lines[1].settled, amount)
  lines[1].settled = lines[1].settled - moved
  lines[2].settled = lines[2].settled + moved
  writeBooks(lines)
  if lines[1].settled + lines[1].held + lines[1].unresolved == 0 then
    redis.call('DEL', lines[1].key)
  end
  redis.call('ZREM', root .. ':old-books', time .. '\n' .. key)
  redis.call('ZADD', root .. ':old-books', 0, time .. '\n' .. nobody)
end

local daily = root .. ':daily:' .. day
local all = redis.call('HGETALL', daily)
local count = 0
for i = 1, #all, 2 do
  local key, rest = string.match(all[i], '^([^\n]*)(\n.*)$')
  if isGone[key] then
    local sum = {}
    for figure in string.gmatch(all[i + 1] .. ' ' .. (redis.call('HGET', daily, nobody .. rest) or '0 0 0 0'), '%d+') do
      sum[#sum + 1] = tonumber(figure)
    end
    redis.call('HDEL', daily, all[i])
    redis.call(
      'HSET',
      daily,
      nobody .. rest,
      string.format('%.0f %.0f %.0f %.0f', sum[1] + sum[5], sum[2] + sum[6], sum[3] + sum[7], sum[4] + sum[8])
    )
    moveBook(day, key, sum[4])
    moveBook(string.sub(day, 1, 7), key, sum[4])
    count = count + 1
  end
end
return { 'ok', count }
