-- Takes one call of a key with limits per minute or of calls at the same time, over all gateways, or nothing.
-- ARGV: epoch, key, owner, lease (ms), requests per minute or '', tokens per minute or '', calls at the same time or '', expected tokens,
-- calls that this gateway has under way with this one, number of that message.
-- Answers: ok; or refused, requests | tokens | calls, ms until there may be room.
local key, owner, lease = ARGV[2], ARGV[3], tonumber(ARGV[4])
local mostRequests, mostTokens, mostCalls = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local tokens = tonumber(ARGV[8])
local window, calls = root .. ':minute:' .. key, root .. ':calls:' .. key
local now = nowMs()
local second = math.floor(now / 1000)

-- The running second and the 60 before it, as `requests tokens` each: they cover every minute that ends now.
local used = {}
if mostRequests or mostTokens then
  local all = redis.call('HGETALL', window)
  for i = 1, #all, 2 do
    local at = tonumber(all[i])
    if math.abs(second - at) > 60 then
      redis.call('HDEL', window, all[i])
    else
      local requests, sum = string.match(all[i + 1], '^(%d+) (%d+)$')
      used[#used + 1] = { at = at, requests = tonumber(requests), tokens = tonumber(sum) }
    end
  end
  table.sort(used, function(a, b)
    return a.at < b.at
  end)
end

-- Milliseconds until no more than `most` counts.
local function waitFor(what, most)
  local left = 0
  for _, each in ipairs(used) do
    left = left + each[what]
  end
  for _, each in ipairs(used) do
    if left <= most then
      break
    end
    left = left - each[what]
    if left <= most then
      return (each.at + 61) * 1000 - now
    end
  end
  return 0
end

local requestWait = mostRequests and waitFor('requests', mostRequests - 1) or 0
local tokenWait = mostTokens and waitFor('tokens', math.max(0, mostTokens - math.max(1, tokens))) or 0
if requestWait > 0 or tokenWait > 0 then
  local what = requestWait >= tokenWait and 'requests' or 'tokens'
  return { 'refused', what, math.max(requestWait, tokenWait) }
end

if mostCalls then
  local sum = tonumber(ARGV[9]) + callsElsewhere(calls, owner, lease, now)
  if sum > mostCalls then
    return { 'refused', 'calls', 0 }
  end
  tellCalls(calls, owner, ARGV[9], ARGV[10])
  isAlive(owner, now)
end
if mostRequests or mostTokens then
  local last = used[#used]
  local requests, sum = 1, tokens
  if last and last.at == second then
    requests, sum = requests + last.requests, sum + last.tokens
  end
  redis.call('HSET', window, int(second), int(requests) .. ' ' .. int(sum))
  redis.call('PEXPIRE', window, 62000)
end
return { 'ok' }
