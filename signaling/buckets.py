"""Token buckets: how often something may be done, for each who does it."""

from collections.abc import Hashable

from licensing.instant import SECOND

SWEEP_AT = 1024  # keys: below that a full bucket costs nothing worth the search


class Buckets:
    """One bucket for each key: `burst` at once, then one every `every` seconds.

    A bucket is kept as the moment at which it will be full again (GCRA, ITU-T I.371): one number for each
    key, and none for whoever has asked for nothing lately.
    """

    def __init__(self, burst: float, every: float) -> None:
        self._step = int(every * SECOND)
        self._depth = int(burst * every * SECOND)
        self._full_at: dict[Hashable, int] = {}
        self._sweep_at = SWEEP_AT

    def take(self, key: Hashable, now_ns: int, cost: float = 1.0) -> float:
        """Take from the bucket. If there is not enough in it nothing is taken: the seconds to wait."""
        full_at = max(self._full_at.get(key, now_ns), now_ns) + int(cost * self._step)
        if full_at - now_ns > self._depth:
            return (full_at - now_ns - self._depth) / SECOND
        self._full_at[key] = full_at
        if len(self._full_at) > self._sweep_at:
            self._sweep(now_ns)
        return 0.0

    def give_back(self, key: Hashable, cost: float = 1.0) -> None:
        """What was taken was not used."""
        if key in self._full_at:
            self._full_at[key] -= int(cost * self._step)

    def __len__(self) -> int:
        return len(self._full_at)

    def _sweep(self, now_ns: int) -> None:
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now_ns}
        self._sweep_at = max(SWEEP_AT, 2 * len(self._full_at))
