"""Guessing secrets, slowed down."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from ipvg_eval.leaderboard.study.secret import hashed

_ADDRESSES = 10_000


class Guesses:
    """How many secrets each address may still try that were never right.

    Who has used up the tries is not told whether a secret is right: it is not even looked up. Secrets that
    were right before are never held up, so nobody at work is stopped by a neighbour who guesses.

    Args:
        burst: wrong tries at once.
        seconds: after which one more is allowed.
        clock: seconds, never backwards.
    """

    def __init__(
        self, *, burst: int = 30, seconds: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._seconds, self._clock = burst, seconds, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> tries, since when
        self._right: set[str] = set()
        self._lock = threading.Lock()

    def allowed(self, address: str, secret: str) -> bool:
        """Whether this secret may be looked up. Counts as a wrong try until `right` takes it back."""
        with self._lock:
            if hashed(secret) in self._right:
                return True
            left = self._tries(address)
            if left < 1:
                return False
            self._put(address, left - 1)
            return True

    def right(self, address: str, secret: str) -> None:
        """Note that a secret is right."""
        with self._lock:
            if hashed(secret) not in self._right:
                self._right.add(hashed(secret))
                self._put(address, self._tries(address) + 1)

    def _tries(self, address: str) -> float:
        left, since = self._left.get(_network(address), (float(self._burst), self._clock()))
        return min(float(self._burst), left + (self._clock() - since) / self._seconds)

    def _put(self, address: str, left: float) -> None:
        network = _network(address)
        self._left[network] = (left, self._clock())
        self._left.move_to_end(network)
        if len(self._left) > _ADDRESSES:
            self._left.popitem(last=False)


def _network(address: str) -> str:
    """One household has 2^64 addresses of version 6."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else address
