-- A call of a key with limits is over: how many this gateway has under way now, and what the call used instead of what was expected.
-- ARGV: epoch, key, owner, calls under way, expected tokens, used tokens, ms since the call began, number of that message.
-- Answers: ok.
local key, owner = ARGV[2], ARGV[3]
local window, calls = root .. ':minute:' .. key, root .. ':calls:' .. key
if redis.call('HEXISTS', calls, owner) == 1 then
  tellCalls(calls, owner, ARGV[4], ARGV[8])
end
local now = nowMs()
local second = math.floor(now / 1000)
local more = tonumber(ARGV[6]) - tonumber(ARGV[5])
if more == 0 or redis.call('EXISTS', window) == 0 then
  return { 'ok' }
end
if more > 0 then
  local requests, tokens = string.match(redis.call('HGET', window, int(second)) or '0 0', '^(%d+) (%d+)$')
  redis.call('HSET', window, int(second), requests .. ' ' .. int(tokens + more))
  redis.call('PEXPIRE', window, 62000)
  return { 'ok' }
end
-- The oldest since the call began is taken first: what remains then leaves later than it strictly should, never earlier.
local since = math.floor((now - tonumber(ARGV[7])) / 1000)
if second - since > 60 then
  return { 'ok' }
end
local left = -more
for at = since, second do
  local found = redis.call('HGET', window, int(at))
  if found then
    local requests, tokens = string.match(found, '^(%d+) (%d+)$')
    local back = math.min(left, tonumber(tokens))
    left = left - back
    redis.call('HSET', window, int(at), requests .. ' ' .. int(tokens - back))
  end
  if left == 0 then
    break
  end
end
return { 'ok' }
