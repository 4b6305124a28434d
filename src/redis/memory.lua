-- What a bucket remembers, and since when. Goes before each script that looks at nonces.
--
-- The marker of a bucket is `history since floor count seen claimed`:
--   history  the replication ID of the primary that wrote it
--   since    when it began to remember, in milliseconds of the server's clock
--   floor    what expires up to this second may have been removed, in seconds of the gateways' clocks
--   count    how many nonces the bucket holds
--   seen     when somebody last looked, in milliseconds of the server's clock
--   claimed  when the last nonce was claimed, in milliseconds of the server's clock
-- It is written in one step with the nonces. If the two disagree, something was lost.

-- An error if this server may drop keys without an expiry.
local function evicts()
  local policy = string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:([%w-]+)')
  if not policy or string.find(policy, 'allkeys', 1, true) then
    return {err = 'EVICTS ' .. (policy or 'unknown')}
  end
end

-- The history and the clock of this server, or an error that says why it cannot remember.
local function primary()
  local replication = redis.call('INFO', 'replication')
  if not string.find(replication, 'role:master', 1, true) then
    return {err = 'REPLICA'}
  end
  local history = string.match(replication, 'master_replid:(%x+)')
  if not history then
    return {err = 'NOHISTORY'}
  end
  local time = redis.call('TIME')
  return {history = history, now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)}
end

-- What a bucket remembers, or an error. `changed` says whether the marker has to be written. `unseen` is for how many
-- milliseconds a bucket may go without a look; after more, it has forgotten where `forgets` is true, because a replica may
-- have taken over meanwhile, and elsewhere that time does not count, because the clock may have jumped.
local function recall(server, nonces, marker, unseen, forgets)
  local held = redis.call('ZCARD', nonces)
  local history, since, floor, count, seen, claimed =
    string.match(redis.call('GET', marker) or '', '^(%x+) (%d+) (%-?%d+) (%d+) (%d+) (%d+)$')
  local now = server.now
  local away = now - tonumber(seen or 0)
  local watched = math.abs(away) <= unseen
  if history == server.history and tonumber(count) == held and (watched or not forgets) then
    local uncounted = watched and 0 or away
    return {
      history = history,
      now = now,
      since = tonumber(since) + uncounted,
      floor = tonumber(floor),
      count = held,
      claimed = tonumber(claimed) + uncounted,
      changed = math.abs(away) > unseen / 4,
    }
  end
  -- Another primary, another history, something gone that no claim removed, or not seen for too long.
  return evicts()
    or {history = server.history, now = now, since = now, floor = tonumber(floor or 0), count = held, claimed = now, changed = true}
end

local function note(marker, m)
  local text = '%s %.0f %.0f %.0f %.0f %.0f'
  redis.call('SET', marker, string.format(text, m.history, m.since, m.floor, m.count, m.now, m.claimed))
end

-- Removes nonces that expire up to `second`. Those beyond 4096 are left for the next time, to keep each step short.
local function remove(nonces, m, second)
  local expired = m.count > 0 and redis.call('ZCOUNT', nonces, '-inf', string.format('%.0f', second)) or 0
  m.floor = math.max(m.floor, second)
  if expired > 0 then
    m.count = m.count - redis.call('ZREMRANGEBYRANK', nonces, 0, math.min(expired, 4096) - 1)
    m.changed = true
  end
end
