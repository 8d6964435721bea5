-- Gives one day's totals of a tenant, and the same money in the books of the day and the month, to the tenant that stands for nobody.
-- Its keys lie under another hash tag: this is the one step that a cluster could not take.
-- ARGV: epoch, token, lease (ms), day, tenant, name for nobody, root of nobody, key of the set of tenants.
-- Answers: ok, number of totals; or taken.
if not keepsLease(ARGV[2], ARGV[3]) then
  return { 'taken' }
end
local day, tenant, nobody, target = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local month = string.sub(day, 1, 7)
redis.call('SET', target, ARGV[1], 'NX')
redis.call('SADD', ARGV[8], nobody)

local function add(key, field, sum)
  local before = redis.call('HGET', key, field)
  local total = {}
  for figure in string.gmatch(before or '', '%d+') do
    total[#total + 1] = tonumber(figure)
  end
  for i, figure in ipairs(sum) do
    total[i] = int((total[i] or 0) + figure)
  end
  redis.call('HSET', key, field, table.concat(total, ' '))
end

local function addBook(name, amount)
  local lines = { { key = target .. ':book:' .. name } }
  readBooks(lines)
  lines[1].settled = lines[1].settled + amount
  writeBooks(lines)
end

local function figures(text)
  local sum = {}
  for figure in string.gmatch(text, '%d+') do
    sum[#sum + 1] = tonumber(figure)
  end
  return sum
end

local daily = root .. ':daily:' .. day
local all = redis.call('HGETALL', daily)
local cost = 0
for i = 1, #all, 2 do
  local key, model = string.match(all[i], '^([^\n]*)\n[^\n]*\n(.*)$')
  local sum = figures(all[i + 1])
  add(target .. ':daily:' .. day, nobody .. '\n' .. nobody .. '\n' .. model, sum)
  cost = cost + sum[4]
  redis.call('DEL', bookKey('key:usd:' .. day .. ':' .. key), bookKey('key:usd:' .. month .. ':' .. key))
end
local folded = redis.call('HGET', root .. ':folded', day)
if folded then
  add(target .. ':folded', day, figures(folded))
  redis.call('HDEL', root .. ':folded', day)
end
if #all > 0 then
  addBook('key:usd:' .. day .. ':' .. nobody, cost)
  addBook('key:usd:' .. month .. ':' .. nobody, cost)
  addBook('tenant:usd:' .. day .. ':' .. nobody, cost)
  redis.call('ZADD', target .. ':old-books', 0, day .. '\n' .. nobody, 0, month .. '\n' .. nobody)
  redis.call('SADD', target .. ':days', day)
end
redis.call('DEL', daily, bookKey('tenant:usd:' .. day .. ':' .. tenant))
redis.call('SREM', root .. ':days', day)
return { 'ok', #all / 2 }
