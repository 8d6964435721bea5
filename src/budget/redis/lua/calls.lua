-- Put before the scripts that count calls at the same time, so that others do not carry it.
-- Notes how many calls of a key a gateway has under way, `calls number`: of two messages the one that was sent later counts, whichever
-- arrives first.
local function tellCalls(calls, owner, running, number)
  local known = redis.call('HGET', calls, owner)
  if not known or tonumber(string.match(known, ' (%d+)$')) < tonumber(number) then
    redis.call('HSET', calls, owner, running .. ' ' .. number)
  end
end
