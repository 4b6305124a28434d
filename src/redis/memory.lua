-- Since when this server has forgotten nothing. The documentation of the module says why this is right.

-- Numbers of Lua are written with 14 digits unless told otherwise.
local function written(number)
  return string.format('%.0f', number)
end

-- An error if this server may drop what has not expired.
local function evicts()
  local policy = string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:([%w-]+)')
  if policy ~= 'noeviction' then
    return {err = 'EVICTS ' .. (policy or 'unknown')}
  end
end

-- An error that says why nothing can be remembered here; or nil, the present, and since when nothing was forgotten. Both are milliseconds
-- of the server's clock.
local function memory(marker)
  local replication = redis.call('INFO', 'replication')
  if not string.find(replication, 'role:master', 1, true) then
    return {err = 'REPLICA'}
  end
  local history = string.match(replication, 'master_replid:(%x+)')
  if not history then
    return {err = 'NOHISTORY'}
  end
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local of, since = string.match(redis.call('GET', marker) or '', '^(%x+) (%d+)$')
  if of == history then
    return nil, now, tonumber(since)
  end
  -- Another process, another history, or emptied: whatever was claimed before may be gone.
  local refusal = evicts()
  if refusal then
    return refusal
  end
  redis.call('SET', marker, history .. ' ' .. written(now))
  return nil, now, now
end
