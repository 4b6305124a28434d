-- Looks at buckets without a claim: notices losses in those that are seldom used, and removes what has expired. Also for
-- readiness: it fails where claims fail.
--
-- KEYS: the nonces and the marker of each bucket.
-- ARGV: how long a bucket may go without a look and whether it has forgotten after that, as for a claim; for how many
-- milliseconds a nonce is kept at most.

local server = primary()
if server.err then
  return server
end
local evicting = evicts()
local found, refusal = {}, evicting

for i = 1, #KEYS, 2 do
  local nonces = KEYS[i]
  local m = recall(server, nonces, KEYS[i + 1], tonumber(ARGV[1]), ARGV[2] == '1')
  if m.err then
    refusal = refusal or m
  else
    if m.count > 0 and m.now - m.claimed > tonumber(ARGV[3]) then
      -- Nothing was claimed for longer than any nonce lives.
      m.floor = math.max(m.floor, tonumber(redis.call('ZRANGE', nonces, -1, -1, 'WITHSCORES')[2]))
      m.count = 0
      m.changed = true
      redis.call('UNLINK', nonces)
    else
      remove(nonces, m, m.floor)
    end
    if evicting then
      -- The history of no server: every claim is refused until the policy is another.
      m.history = '0'
      m.changed = true
    end
    found[i + 1] = m
  end
end

-- One marker is always written: a server that is full, or may not write, says so then.
for i = 2, #KEYS, 2 do
  local m = found[i]
  if m and (m.changed or i == 2) then
    note(KEYS[i], m)
  end
end
return refusal or 'ready'
