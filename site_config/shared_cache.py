"""The cache that all processes share, with counters that cost one round trip each."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient

# Redis runs it as one step, so that a window which ends meanwhile leaves no counter without an end.
COUNT = """
if redis.call('exists', KEYS[1]) == 0 then return false end
return redis.call('incrby', KEYS[1], ARGV[1])
"""


class CountingClient(RedisCacheClient):
    def incr(self, key: Any, delta: int) -> int:
        """Raises ValueError for a key that is not there, as every cache of Django's does."""
        client: Any = self.get_client(key, write=True)
        counted = client.eval(COUNT, 1, key, delta)
        if counted is None:
            raise ValueError(f"Key {key!r} not found.")
        return int(counted)


class SharedCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = CountingClient
