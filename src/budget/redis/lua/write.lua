-- Writes a document if nobody else has written it since.
-- ARGV: epoch, kind, id, version that was read (0 = none), text.
-- Answers: done, version; or changed, version, text.
local key = root .. ':document:' .. ARGV[2] .. ':' .. ARGV[3]
local found = redis.call('HMGET', key, 'version', 'text')
local version = tonumber(found[1]) or 0
if version ~= tonumber(ARGV[4]) then
  return { 'changed', version, found[2] or '' }
end
redis.call('HSET', key, 'version', int(version + 1), 'text', ARGV[5])
if version == 0 then
  redis.call('ZADD', root .. ':ids:' .. ARGV[2], 0, ARGV[3])
end
return { 'done', version + 1 }
