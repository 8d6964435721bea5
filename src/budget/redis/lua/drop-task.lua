-- Deletes a task with its books, if it is still as it was read, and no attempt of it is kept.
-- ARGV: epoch, token, lease (ms), id of the document, version, task, books.
-- Answers: ok, 1 if it was deleted; or taken.
if not keepsLease(ARGV[2], ARGV[3]) then
  return { 'taken' }
end
local document, task = root .. ':document:task:' .. ARGV[4], ARGV[6]
if redis.call('HGET', document, 'version') ~= ARGV[5] then
  return { 'ok', 0 }
end
if redis.call('EXISTS', root .. ':ended:' .. task, root .. ':running:' .. task) > 0 then
  return { 'ok', 0 }
end
local lines = {}
for at = 7, #ARGV do
  lines[#lines + 1] = { key = bookKey(ARGV[at]) }
end
readBooks(lines)
for _, line in ipairs(lines) do
  if line.held ~= 0 or line.unresolved ~= 0 then
    return { 'ok', 0 }
  end
end
redis.call('DEL', document, root .. ':task-calls:' .. task)
redis.call('ZREM', root .. ':ids:task', ARGV[4])
for _, line in ipairs(lines) do
  redis.call('DEL', line.key)
end
return { 'ok', 1 }
