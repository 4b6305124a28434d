-- KEYS: the marker.

return evicts() or memory(KEYS[1]) or 'ready'
