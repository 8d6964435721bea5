-- Deletes ended attempts and keeps their sum per day; totals by who and what were counted when they were settled.
-- ARGV: epoch, token, lease (ms), day before which attempts may be gone from now on or '', entries of the stream.
-- Answers: ok, number that was folded; or taken.
if not keepsLease(ARGV[2], ARGV[3]) then
  return { 'taken' }
end
local past, folded, oldBooks = root .. ':past', root .. ':folded', root .. ':old-books'
local hasEvidence = redis.call('EXISTS', root .. ':ids:evidence') == 1
local sums, names, gone = {}, {}, {}
for at = 5, #ARGV do
  local found = redis.call('XRANGE', past, ARGV[at], ARGV[at])[1]
  if found then
    local id, state, cost, input, output, note =
      string.match(found[2][2], '^([^\n]*)\n(.)\n[^\n]*\n(%d*)\n(%d*)\n(%d*)\n(.*)$')
    local day, who, task = readNote(note)
    local key = string.match(who, '^[^\n]*')
    local sum = sums[day]
    if not sum then
      sum = { 0, 0, 0, 0, 0 }
      local before = redis.call('HGET', folded, day)
      if before then
        sum = {}
        for figure in string.gmatch(before, '%d+') do
          sum[#sum + 1] = tonumber(figure)
        end
      end
      sums[day] = sum
    end
    if state == 's' then
      sum[1] = sum[1] + 1
      sum[2] = sum[2] + (tonumber(input) or 0)
      sum[3] = sum[3] + (tonumber(output) or 0)
      sum[4] = sum[4] + tonumber(cost)
    else
      sum[5] = sum[5] + 1
    end
    names[day .. '\n' .. key] = true
    names[string.sub(day, 1, 7) .. '\n' .. key] = true
    if task ~= '' then
      redis.call('LREM', root .. ':ended:' .. task, 1, ARGV[at])
    end
    if hasEvidence and redis.call('ZREM', root .. ':ids:evidence', id) == 1 then
      redis.call('DEL', root .. ':document:evidence:' .. id)
    end
    gone[#gone + 1] = ARGV[at]
  end
end
if #gone > 0 then
  redis.call('XDEL', past, unpack(gone))
end
for day, sum in pairs(sums) do
  redis.call('HSET', folded, day, string.format('%.0f %.0f %.0f %.0f %.0f', unpack(sum)))
end
-- Whose books of a day or month may be over.
for name in pairs(names) do
  redis.call('ZADD', oldBooks, 0, name)
end
local mark = root .. ':folded-before'
if ARGV[4] ~= '' and #gone > 0 and (redis.call('GET', mark) or '') < ARGV[4] then
  redis.call('SET', mark, ARGV[4])
end
return { 'ok', #gone }
