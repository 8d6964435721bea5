-- The upkeep of a tenant's books is done by one process at a time.
-- ARGV: epoch, token of the process, lease (ms), verb (take | drop), day up to which everything has been done or '' (with drop).
-- Answers: ok, day up to which everything was done; or taken.
local key = root .. ':upkeep'
evenIfFull()
local holder = redis.call('GET', key)
if ARGV[4] == 'take' then
  if holder and holder ~= ARGV[2] then
    return { 'taken' }
  end
  redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
elseif holder == ARGV[2] then
  if ARGV[5] ~= '' then
    redis.call('SET', root .. ':kept-from', ARGV[5])
  end
  redis.call('DEL', key)
else
  return { 'taken' }
end
return { 'ok', redis.call('GET', root .. ':kept-from') or '' }
