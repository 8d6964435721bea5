-- Moves an attempt that costs nothing, or nothing yet.
-- ARGV: epoch, id, verb (sent | void | unresolve | abandon), how long an ended attempt is remembered (ms).
-- `abandon` is void for a reservation whose answer was lost: if it is still on its way, it finds a grave in its place.
-- Answers: done, an empty list, and settled, held, unresolved of each book; same, conflict or unknown.
local id, verb, forMs = ARGV[2], ARGV[3], ARGV[4]
local key = attemptKey(id)
local found = redis.call('HMGET', key, 'st', 'lines', 'owner', 'note')
local state, owner = found[1], found[3]
if not state then
  if verb ~= 'abandon' then
    return { 'unknown' }
  end
  redis.call('HSET', key, 'st', 'voided', 'lines', '', 'owner', '')
  redis.call('PEXPIRE', key, forMs)
  return { 'done', {} }
end
local lines = linesOf(found[2])

if verb == 'sent' then
  if state == 'sent' then
    return { 'same' }
  end
  if state ~= 'reserved' then
    return { 'conflict' }
  end
  redis.call('HSET', key, 'st', 'sent')
  return { 'done', {} }
end

if verb == 'unresolve' then
  if state == 'unresolved' then
    return { 'same' }
  end
  if state ~= 'sent' then
    return { 'conflict' }
  end
  unresolved(id, key, owner, lines)
  return tell({ 'done', {} }, lines)
end

if state == 'voided' then
  return { 'same' }
end
if state ~= 'reserved' and state ~= 'sent' then
  return { 'conflict' }
end
voided(id, key, owner, lines, forMs, found[4])
return tell({ 'done', {} }, lines)
