-- Claims a nonce, unless it was used or may have been.
--
-- KEYS, all of one bucket: its nonces, its marker, the nonces of the SecretId by generation.
-- ARGV:
-- 1. the nonce
-- 2. the last second in which the request is valid, by the gateway's clock
-- 3. nonces that expire up to this second are removed
-- 4. for how many milliseconds the request is valid from now
-- 5. how many nonces the SecretId may hold
-- 6. for how many milliseconds nonces of a SecretId are counted together
-- 7. for how many milliseconds a nonce is kept at most
-- 8. for how many milliseconds a bucket may go without a look
-- 9. whether it has forgotten after that: 1 or 0
-- 10. for how many milliseconds after a loss a request may be valid that was used before; absent where that does not matter

local server = primary()
if server.err then
  return server
end
local m = recall(server, KEYS[1], KEYS[2], tonumber(ARGV[8]), ARGV[9] == '1')
if m.err then
  return m
end
local expires, stale, valid = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local function refuse(word)
  if m.changed then
    note(KEYS[2], m)
  end
  return word
end

if expires <= m.floor or ARGV[10] and m.now + valid <= m.since + tonumber(ARGV[10]) then
  return refuse('before')
end
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return refuse('repeated')
end

local span = tonumber(ARGV[6])
local generations = redis.call('HGETALL', KEYS[3])
local held, dead = 0, {}
for i = 1, #generations, 2 do
  if (tonumber(generations[i]) + 1) * span <= m.now then
    dead[#dead + 1] = generations[i]
  else
    held = held + tonumber(generations[i + 1])
  end
end
if held >= tonumber(ARGV[5]) then
  return refuse('share')
end

-- A full server refuses the first write and none after it. So the first is one that needs memory, or one that frees some.
if stale > m.floor then
  remove(KEYS[1], m, stale)
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
m.count = m.count + 1
m.claimed = m.now
note(KEYS[2], m)
if #dead > 0 then
  redis.call('HDEL', KEYS[3], unpack(dead))
end
redis.call('HINCRBY', KEYS[3], string.format('%.0f', math.floor((m.now + valid) / span)), 1)
redis.call('PEXPIRE', KEYS[3], ARGV[7])
return 'fresh'
