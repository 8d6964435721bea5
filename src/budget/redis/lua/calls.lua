-- Put before the scripts that count calls at the same time, so that others do not carry it.
-- Notes how many calls of a key a gateway has under way, `calls number`: of two messages the one that was sent later counts, whichever
-- arrives first.
local function tellCalls(calls, owner, running, number)
  local known = redis.call('HGET', calls, owner)
  if not known or tonumber(string.match(known, ' (%d+)$')) < tonumber(number) then
    redis.call('HSET', calls, owner, running .. ' ' .. number)
  end
end

-- Calls that other gateways have under way. Those of a gateway that gives no sign of life have died with it.
local function callsElsewhere(calls, owner, lease, now)
  local sum = 0
  local all = redis.call('HGETALL', calls)
  for i = 1, #all, 2 do
    if all[i] ~= owner then
      local beat = tonumber(redis.call('HGET', root .. ':owners', all[i]))
      if beat and now - beat <= lease then
        sum = sum + tonumber(string.match(all[i + 1], '^%d+'))
      else
        redis.call('HDEL', calls, all[i])
      end
    end
  end
  return sum
end

-- A gateway whose calls count has to give signs of life from now on.
local function isAlive(owner, now)
  redis.call('HSETNX', root .. ':owners', owner, int(now))
end
