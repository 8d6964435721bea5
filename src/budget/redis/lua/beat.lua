-- A sign of life of one gateway, and a look at the others: what a dead one had reserved is given back, what it had sent counts as
-- spent. Time is the server's, and a lease runs only while gateways can reach it.
-- ARGV: epoch, owner, lease (ms), most attempts to move in one step, how long an ended attempt is remembered (ms).
-- Answers: ok, now (ms), voided, unresolved, unresolved money of the tenant, 1 if there is more to do.
local me, lease, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local owners = root .. ':owners'
local now = nowMs()
local mine = tonumber(redis.call('HGET', owners, me))
redis.call('HSET', owners, me, int(now))

-- Where even this gateway's own last sign looks too old or lies ahead, the clock stepped or the store was away: nobody could give a
-- sign, and everybody gets a whole lease for the next.
local grace = tonumber(redis.call('HGET', owners, '')) or 0
if mine and (now - mine > lease or mine > now + lease) then
  grace = now + lease
  redis.call('HSET', owners, '', int(grace))
end
local isGrace = now < grace and grace <= now + lease

local counts = { voided = 0, unresolved = 0 }
local all = redis.call('HGETALL', owners)
for i = 1, #all, 2 do
  local owner, beat = all[i], tonumber(all[i + 1])
  if owner ~= '' and owner ~= me then
    if beat > now + lease then
      redis.call('HSET', owners, owner, int(now))
    elseif now - beat > lease and not isGrace then
      local ids = redis.call('SRANDMEMBER', openKey(owner), most)
      for _, id in ipairs(ids) do
        local key = attemptKey(id)
        local found = redis.call('HMGET', key, 'st', 'lines', 'note')
        if found[1] == 'reserved' then
          voided(id, key, owner, linesOf(found[2]), ARGV[5], found[3])
          counts.voided = counts.voided + 1
        elseif found[1] == 'sent' then
          unresolved(id, key, owner, linesOf(found[2]))
          counts.unresolved = counts.unresolved + 1
        else
          redis.call('SREM', openKey(owner), id)
        end
        most = most - 1
      end
      if redis.call('EXISTS', openKey(owner)) == 0 then
        redis.call('HDEL', owners, owner)
      end
      if most <= 0 then
        break
      end
    end
  end
end
local money = tonumber(redis.call('GET', root .. ':unresolved-usd')) or 0
return { 'ok', now, counts.voided, counts.unresolved, money, most <= 0 and 1 or 0 }
