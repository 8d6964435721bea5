-- Deletes keys of a tenant that is to be forgotten, and at last the tenant, unless it has gone on meanwhile.
-- ARGV: epoch, token, lease (ms), key of the set of tenants, tenant, last or '', ends of keys.
-- Answers: ok, done | open (an attempt is under way) | again (some have ended meanwhile); or taken.
if not keepsLease(ARGV[2], ARGV[3]) then
  return { 'taken' }
end
local owners = redis.call('HKEYS', root .. ':owners')
local isOpen = redis.call('EXISTS', root .. ':unresolved') == 1
for _, owner in ipairs(owners) do
  isOpen = isOpen or redis.call('EXISTS', openKey(owner)) == 1
end
if isOpen then
  return { 'ok', 'open' }
end
for at = 7, #ARGV do
  redis.call('UNLINK', root .. ':' .. ARGV[at])
end
if ARGV[6] == 'last' then
  if redis.call('XLEN', root .. ':past') > 0 or redis.call('EXISTS', root .. ':days') == 1 then
    return { 'ok', 'again' }
  end
  -- From here on it is no tenant any more; who comes back as one begins anew.
  redis.call('SREM', ARGV[4], ARGV[5])
  for _, key in ipairs({ ':past', ':folded', ':owners', ':unresolved-usd', ':upkeep', '' }) do
    redis.call('DEL', root .. key)
  end
end
return { 'ok', 'done' }
