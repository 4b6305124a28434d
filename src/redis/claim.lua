-- KEYS: the nonce, the marker, the nonces of the SecretId by generation.
-- ARGV, in milliseconds but for the third:
-- 1. how long the request is valid from now
-- 2. how long the nonce is kept
-- 3. how many nonces the SecretId may hold
-- 4. how long nonces of a SecretId are counted together
-- 5. how long a nonce is kept at most
-- 6. for how long after the server forgot a request may be valid that was used before; absent where that does not matter

local valid, kept = tonumber(ARGV[1]), tonumber(ARGV[2])
local refusal, now, since = memory(KEYS[2])
if refusal then
  return refusal
end
if ARGV[6] and now + valid <= since + tonumber(ARGV[6]) then
  return 'before'
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 'repeated'
end

local span = tonumber(ARGV[4])
local generations = redis.call('HGETALL', KEYS[3])
local held, dead = 0, {}
for i = 1, #generations, 2 do
  if (tonumber(generations[i]) + 1) * span <= now then
    dead[#dead + 1] = generations[i]
  else
    held = held + tonumber(generations[i + 1])
  end
end
if held >= tonumber(ARGV[3]) then
  return 'share'
end

-- A small integer is an object that all keys share.
redis.call('SET', KEYS[1], '1', 'PX', ARGV[2])
if #dead > 0 then
  redis.call('HDEL', KEYS[3], unpack(dead))
end
redis.call('HINCRBY', KEYS[3], written(math.floor((now + kept) / span)), 1)
redis.call('PEXPIRE', KEYS[3], ARGV[5])
return 'fresh'
