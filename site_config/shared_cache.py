"""The cache that all processes share, with counters that cost one round trip each.

While Redis is away every process counts in its own memory: pages, carts and sign-ins go on, and every limit
still holds, for each process by itself. So neither is the door open to guessers, nor is everybody shut
out. What only the shared cache knew is unknown meanwhile: an app's sign-in code that was made just before
does not work, and the app asks for another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import ResponseError as RedisRefuses
from redis.exceptions import TimeoutError as RedisSilent

from catalog_pages import circuit

# Redis runs it as one step, so that a window which ends meanwhile leaves no counter without an end.
COUNT = """
if redis.call('exists', KEYS[1]) == 0 then return false end
return redis.call('incrby', KEYS[1], ARGV[1])
"""


LOCAL_ENTRIES = 100_000
PROBE = "digital-downloads-probe"
# One that answers and takes nothing, as a replica or with a full disk, counts nothing either.
AWAY = (RedisAway, RedisSilent, RedisRefuses)


class CountingClient(RedisCacheClient):
    def incr(self, key: Any, delta: int) -> int:
        """Raises ValueError for a key that is not there, as every cache of Django's does."""
        client: Any = self.get_client(key, write=True)
        counted = client.eval(COUNT, 1, key, delta)
        if counted is None:
            raise ValueError(f"Key {key!r} not found.")
        return int(counted)


def _or_locally(name: str) -> Callable[..., Any]:
    def method(self: SharedCache, *args: Any, **kwargs: Any) -> Any:
        if circuit.cache.allows():
            try:
                result = getattr(super(SharedCache, self), name)(*args, **kwargs)
            except AWAY as error:
                circuit.cache.failed(type(error).__name__)
            except ValueError:  # an answer: there is no such key
                circuit.cache.succeeded()
                if not self.local.has_key(args[0], version=kwargs.get("version")):
                    raise  # else it was begun here, because Redis would not take it
            else:
                circuit.cache.succeeded()
                return result
        return getattr(self.local, name)(*args, **kwargs)

    method.__name__ = name
    return method


class SharedCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = CountingClient
        # Room enough that nobody pushes the counters of sign-ins out by making up others. Each Redis has
        # its own: what was counted in place of one is not known to another.
        self.local = LocMemCache(
            f"while-{server}-is-away", {**params, "OPTIONS": {"MAX_ENTRIES": LOCAL_ENTRIES}}
        )

    add = _or_locally("add")
    get = _or_locally("get")
    set = _or_locally("set")
    touch = _or_locally("touch")
    delete = _or_locally("delete")
    get_many = _or_locally("get_many")
    has_key = _or_locally("has_key")
    incr = _or_locally("incr")
    set_many = _or_locally("set_many")
    delete_many = _or_locally("delete_many")

    def is_up(self) -> bool:
        """Whether Redis takes something now; the circuit learns of it."""
        client: Any = self._cache
        try:
            client.get_client(write=True).set(PROBE, 1, ex=60)
        except AWAY as error:
            circuit.cache.failed(type(error).__name__)
            return False
        circuit.cache.succeeded()
        return True
