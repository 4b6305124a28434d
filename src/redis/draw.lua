-- KEYS: what was drawn from each limit.
-- ARGV: the present in microseconds, how much longer than needed a count is kept in milliseconds, and for each key three
-- more: 'rate', microseconds in which one request is refilled, microseconds in which all are;
--       'quota', requests in a period, microseconds in a period.
-- Answers {0, 0}, or the number of the limit that refuses with the microseconds to wait or the period that is used up.

local function written(number)
  return string.format('%.0f', number)
end

local present, slack = tonumber(ARGV[1]), tonumber(ARGV[2])
local drawn = {}

for i, key in ipairs(KEYS) do
  local kind, a, b = ARGV[3 * i], tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local noted = redis.call('GET', key)
  local first, second = string.match(noted or '', '^(%d+) (%d+)$')
  local kept
  if kind == 'rate' then
    -- GCRA: `full` is when all will be refilled. Time never goes back, whoever's clock it is.
    local now = math.max(present, tonumber(first or 0))
    local full = math.max(now, tonumber(second or 0)) + a
    if full - now > b then
      return {i, full - now - b}
    end
    first, second, kept = now, full, full - now
  else
    local period = math.max(math.floor(present / b), tonumber(first or 0))
    local requests = 0
    if noted and period == tonumber(first) then
      requests = tonumber(second)
    end
    if requests >= a then
      return {i, period}
    end
    first, second, kept = period, requests + 1, (period + 1) * b - present
  end
  drawn[i] = {written(first) .. ' ' .. written(second), written(math.ceil(kept / 1000) + slack)}
end

-- Nothing was written before every limit had agreed.
for i, key in ipairs(KEYS) do
  redis.call('SET', key, drawn[i][1], 'PX', drawn[i][2])
end
return {0, 0}
