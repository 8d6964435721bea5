-- Put before every other script. KEYS[1] is the root key of a tenant, `switchyard:{tenant}`; it holds the epoch of the books.
-- All other keys begin with the root, so that they carry the same hash tag and lie on the same node; their names follow from what is
-- stored (the lines of an attempt), and are therefore not declared one by one.
-- Lua 5.1 counts in doubles: exact up to 2^53. Amounts never pass 2^53 - 1, and a sum that does is rounded to no less than 2^53, so
-- that comparing it with a limit stays right. What is written goes through int(), as tostring() keeps 14 digits only.
local root = KEYS[1]
local MOST = 9007199254740991

local function int(n)
  return string.format('%.0f', n)
end

local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function bookKey(name)
  return root .. ':book:' .. name
end

local function attemptKey(id)
  return root .. ':attempt:' .. id
end

local function openKey(owner)
  return root .. ':open:' .. owner
end

local function balanceOf(key)
  local found = redis.call('HMGET', key, 's', 'h', 'u')
  return tonumber(found[1]) or 0, tonumber(found[2]) or 0, tonumber(found[3]) or 0
end

-- Lines of an attempt as stored: `amount book\n` each.
local function linesOf(text)
  local lines = {}
  for amount, book in string.gmatch(text, '(%d+) ([^\n]+)\n') do
    lines[#lines + 1] = { amount = tonumber(amount), key = bookKey(book), book = book }
  end
  return lines
end

-- Ended attempts are remembered for a while, so that a repeated step is known as one. Their money stands in the books, for ever.
local function ended(key, forMs)
  redis.call('PEXPIRE', key, forMs)
end

-- An attempt that is reserved or sent gives its hold back.
local function voided(id, key, owner, lines, forMs)
  for _, line in ipairs(lines) do
    redis.call('HINCRBY', line.key, 'h', int(0 - line.amount))
  end
  redis.call('HSET', key, 'st', 'voided')
  redis.call('SREM', openKey(owner), id)
  ended(key, forMs)
end

-- An attempt that was sent and whose cost nobody knows: its hold counts as spent.
local function unresolved(id, key, owner, lines)
  for _, line in ipairs(lines) do
    redis.call('HINCRBY', line.key, 'h', int(0 - line.amount))
    redis.call('HINCRBY', line.key, 'u', int(line.amount))
  end
  redis.call('HSET', key, 'st', 'unresolved')
  redis.call('SREM', openKey(owner), id)
  redis.call('SADD', root .. ':unresolved', id)
  if lines[1] then
    redis.call('INCRBY', root .. ':unresolved-usd', int(lines[1].amount))
  end
end

-- Books of another epoch, or none: they were lost, and must not be taken for empty ones.
if redis.call('GET', root) ~= ARGV[1] then
  return { 'lost' }
end
