-- Books what an attempt really cost, in the order of its lines.
-- ARGV: epoch, id, input tokens or '', output tokens or '', how long the ended attempt is remembered (ms), amounts.
-- Answers: done, a list of the indexes of the books in which more was settled than was held, and settled, held, unresolved of each
-- book; same; conflict; unknown; invalid, reason.
local id = ARGV[2]
local key = attemptKey(id)
local found = redis.call('HMGET', key, 'st', 'lines', 'settled', 'owner', 'note')
local state, owner, note = found[1], found[4], found[5]
if not state then
  return { 'unknown' }
end
local lines = linesOf(found[2])
if #lines ~= #ARGV - 5 then
  return { 'invalid', 'one whole number >= 0 is needed for each line' }
end
local amounts = table.concat(ARGV, ' ', 6)
if state == 'settled' then
  return { found[3] == amounts and 'same' or 'conflict' }
end
if state == 'voided' then
  return { 'conflict' }
end

local exceeded = {}
readBooks(lines)
for i, line in ipairs(lines) do
  line.cost = tonumber(ARGV[5 + i])
  if line.cost > line.amount then
    exceeded[#exceeded + 1] = i - 1
  end
  line.settled = line.settled + line.cost
  if line.settled > MOST then
    return { 'invalid', 'the sum leaves the safe integers' }
  end
  local from = state == 'unresolved' and 'unresolved' or 'held'
  line[from] = line[from] - line.amount
end
writeBooks(lines)
redis.call('HSET', key, 'st', 'settled', 'settled', amounts)
if state == 'unresolved' then
  redis.call('SREM', root .. ':unresolved', id)
  if lines[1] then
    redis.call('DECRBY', root .. ':unresolved-usd', int(lines[1].amount))
  end
else
  redis.call('SREM', openKey(owner), id)
end
local day, who, task = readNote(note)
local first = lines[1] or { amount = 0, cost = 0 }
local what = 's\n' .. int(first.amount) .. '\n' .. int(first.cost) .. '\n' .. ARGV[3] .. '\n' .. ARGV[4]
ended(id, key, ARGV[5], note, task, what)

-- The same money by who and what: a field `key\ntype\nmodel` of the day, with `calls input output cost`, for reports.
local daily = root .. ':daily:' .. day
local before = redis.call('HGET', daily, who)
if not before then
  before = '0 0 0 0'
  redis.call('SADD', root .. ':days', day)
end
local calls, input, output, cost = string.match(before, '^(%d+) (%d+) (%d+) (%d+)$')
redis.call(
  'HSET',
  daily,
  who,
  string.format(
    '%.0f %.0f %.0f %.0f',
    calls + 1,
    input + (tonumber(ARGV[3]) or 0),
    output + (tonumber(ARGV[4]) or 0),
    cost + first.cost
  )
)
return tell({ 'done', exceeded }, lines)
