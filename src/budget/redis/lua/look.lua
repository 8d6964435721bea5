-- Reads a document and the balances of books in one step.
-- ARGV: epoch, kind of the document or '', id of the document, books.
-- Answers: ok, version (0 = none), text, then settled, held, unresolved of each book.
local answer = { 'ok', 0, '' }
if ARGV[2] ~= '' then
  local found = redis.call('HMGET', root .. ':document:' .. ARGV[2] .. ':' .. ARGV[3], 'version', 'text')
  if found[1] then
    answer[2], answer[3] = tonumber(found[1]), found[2]
  end
end
local lines = {}
for at = 4, #ARGV do
  lines[#lines + 1] = { key = bookKey(ARGV[at]) }
end
readBooks(lines)
return tell(answer, lines)
