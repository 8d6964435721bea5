-- A call of a task is over: how many of it this gateway has under way now.
-- ARGV: epoch, task, owner, calls under way, number of that message.
-- Answers: ok.
local calls = root .. ':task-calls:' .. ARGV[2]
if redis.call('HEXISTS', calls, ARGV[3]) == 0 then
  return { 'ok' }
end
tellCalls(calls, ARGV[3], ARGV[4], ARGV[5])
for _, told in ipairs(redis.call('HVALS', calls)) do
  if string.sub(told, 1, 2) ~= '0 ' then
    return { 'ok' }
  end
end
-- Tasks come and go: what stays for a while is the number of the last message, for one that is still on its way.
redis.call('PEXPIRE', calls, 60000)
return { 'ok' }
