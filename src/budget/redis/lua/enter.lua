-- Takes one call of a task with a limit of calls at the same time, over all gateways, or nothing.
-- ARGV: epoch, task, owner, lease (ms), calls at the same time, calls that this gateway has under way with this one, number of that message.
-- Answers: ok; or refused.
local owner, now = ARGV[3], nowMs()
local calls = root .. ':task-calls:' .. ARGV[2]
if tonumber(ARGV[6]) + callsElsewhere(calls, owner, tonumber(ARGV[4]), now) > tonumber(ARGV[5]) then
  return { 'refused' }
end
tellCalls(calls, owner, ARGV[6], ARGV[7])
redis.call('PERSIST', calls)
isAlive(owner, now)
return { 'ok' }
