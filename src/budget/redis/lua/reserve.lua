-- Holds an attempt in all its books, or in none.
-- ARGV: epoch, owner, id, state (reserved | sent), lines as stored, note (see shared.lua), task or '',
-- then book, amount, limit ('' = none) of each line.
-- Answers: admitted, and settled, held, unresolved of each book; or refused, index, settled, held, unresolved, isHeldOnly.
local owner, id = ARGV[2], ARGV[3]
local attempt = attemptKey(id)
local known = redis.call('HGET', attempt, 'lines')
if known then
  if known == ARGV[5] then
    return { 'replayed' }
  end
  return { 'conflict' }
end

local lines = {}
for at = 8, #ARGV, 3 do
  lines[#lines + 1] =
    { key = bookKey(ARGV[at]), amount = tonumber(ARGV[at + 1]), limit = tonumber(ARGV[at + 2]) or MOST }
end
readBooks(lines)

local refused
local isHeldOnly = 1
for i, line in ipairs(lines) do
  local spent = line.settled + line.unresolved + line.amount
  if spent + line.held > line.limit then
    if not refused then
      refused = { 'refused', i - 1, line.settled, line.held, line.unresolved }
    end
    if spent > line.limit then
      isHeldOnly = 0
    end
  end
end
if refused then
  refused[6] = isHeldOnly
  return refused
end

for _, line in ipairs(lines) do
  line.held = line.held + line.amount
end
writeBooks(lines)
redis.call('HSET', attempt, 'st', ARGV[4], 'owner', owner, 'lines', ARGV[5], 'note', ARGV[6])
redis.call('SADD', openKey(owner), id)
-- Signs of life have their own script; but no hold may be without an owner whose end is noticed.
if redis.call('HEXISTS', root .. ':owners', owner) == 0 then
  redis.call('HSET', root .. ':owners', owner, int(nowMs()))
end
if ARGV[7] ~= '' then
  redis.call('SADD', root .. ':running:' .. ARGV[7], id)
end
return tell({ 'admitted' }, lines)
