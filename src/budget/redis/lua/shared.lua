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

-- A book is one string, `settled held unresolved`, so that all books of an attempt are read in one command and written in one.
-- Fills in settled, held and unresolved of each line.
local function readBooks(lines)
  if #lines == 0 then
    return
  end
  local keys = {}
  for i, line in ipairs(lines) do
    keys[i] = line.key
  end
  local found = redis.call('MGET', unpack(keys))
  for i, line in ipairs(lines) do
    line.settled, line.held, line.unresolved = 0, 0, 0
    if found[i] then
      local settled, held, open = string.match(found[i], '^(%d+) (%d+) (%d+)$')
      line.settled, line.held, line.unresolved = tonumber(settled), tonumber(held), tonumber(open)
    end
  end
end

local function writeBooks(lines)
  if #lines == 0 then
    return
  end
  local pairs = {}
  for i, line in ipairs(lines) do
    pairs[2 * i - 1] = line.key
    pairs[2 * i] = string.format('%.0f %.0f %.0f', line.settled, line.held, line.unresolved)
  end
  redis.call('MSET', unpack(pairs))
end

-- Puts settled, held and unresolved of each line at the end of an answer.
local function tell(answer, lines)
  for _, line in ipairs(lines) do
    answer[#answer + 1] = line.settled
    answer[#answer + 1] = line.held
    answer[#answer + 1] = line.unresolved
  end
  return answer
end

-- Lines of an attempt as stored: `amount book\n` each.
local function linesOf(text)
  local lines = {}
  for amount, book in string.gmatch(text, '(%d+) ([^\n]+)\n') do
    lines[#lines + 1] = { amount = tonumber(amount), key = bookKey(book) }
  end
  return lines
end

-- What is known of an attempt, as stored: `day\nkey\ntype\nmodel\nupstream\nunix ms\ntool calls\ntask`; the last two may be empty.
-- Returns day, `key\ntype\nmodel`, task.
local function readNote(note)
  local who, task = string.match(note, '^([^\n]*\n[^\n]*\n[^\n]*)\n[^\n]*\n[^\n]*\n[^\n]*\n(.*)$', 12)
  return string.sub(note, 1, 10), who, task
end

-- An ended attempt is remembered for a while under its id, so that a repeated step is known as one. What is kept of it for reports until
-- its day folds is one entry of a stream, which packs them closely: `id\ns or v\nhold\ncost\ninput\noutput\n` and the note.
local function ended(id, key, forMs, note, task, what)
  redis.call('PEXPIRE', key, forMs)
  local entry = redis.call('XADD', root .. ':past', '*', 'r', id .. '\n' .. what .. '\n' .. note)
  if task ~= '' then
    redis.call('SREM', root .. ':running:' .. task, id)
    redis.call('RPUSH', root .. ':ended:' .. task, entry)
  end
end

-- An attempt that is reserved or sent gives its hold back.
local function voided(id, key, owner, lines, forMs, note)
  readBooks(lines)
  for _, line in ipairs(lines) do
    line.held = line.held - line.amount
  end
  writeBooks(lines)
  redis.call('HSET', key, 'st', 'voided')
  redis.call('SREM', openKey(owner), id)
  local _, _, task = readNote(note)
  ended(id, key, forMs, note, task, 'v\n' .. int(lines[1] and lines[1].amount or 0) .. '\n\n\n')
end

-- An attempt that was sent and whose cost nobody knows: its hold counts as spent.
local function unresolved(id, key, owner, lines)
  readBooks(lines)
  for _, line in ipairs(lines) do
    line.held = line.held - line.amount
    line.unresolved = line.unresolved + line.amount
  end
  writeBooks(lines)
  redis.call('HSET', key, 'st', 'unresolved')
  redis.call('SREM', openKey(owner), id)
  redis.call('SADD', root .. ':unresolved', id)
  if lines[1] then
    redis.call('INCRBY', root .. ':unresolved-usd', int(lines[1].amount))
  end
end

-- Where memory is full, Redis refuses commands that need some, but not after a script has written something; and upkeep makes room. So
-- its scripts begin with a command that counts as one that writes, needs no memory and changes nothing.
local function evenIfFull()
  redis.call('PERSIST', root .. ':kept-from')
end

-- For a step that only whoever does the upkeep of this tenant may take: keeps the lease, or says that it is somebody else's.
local function keepsLease(token, leaseMs)
  evenIfFull()
  if redis.call('GET', root .. ':upkeep') ~= token then
    return false
  end
  redis.call('PEXPIRE', root .. ':upkeep', leaseMs)
  return true
end

-- Books of another epoch, or none: they were lost, and must not be taken for empty ones.
if redis.call('GET', root) ~= ARGV[1] then
  return { 'lost' }
end
