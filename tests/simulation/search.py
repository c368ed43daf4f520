"""Breadth first through everything that can happen in a small world, until nothing is new."""

from array import array
from collections import deque
from dataclasses import dataclass

from tests.simulation import device, switch
from tests.simulation.device import Broken
from tests.simulation.moves import moves
from tests.simulation.world import Rules, World, agreed, is_over, start


@dataclass(frozen=True, slots=True)
class Found:
    """How big a world is, and which rows of the server's table it needs."""

    name: str
    states: int
    moves: int
    over: int  # states in which every call has ended for everybody
    rows: frozenset[switch.Row]

    def __str__(self) -> str:
        return f"{self.name}: {self.states} states, {self.moves} moves, {self.over} ends"


def explore(rules: Rules) -> Found:
    """Every state that can be reached; Broken, with the way there, for the first that must not be."""
    switch.USED.clear()
    first = start(rules)
    numbers: dict[World, int] = {first: 0}
    came: list[tuple[int, str]] = [(-1, "")]
    edges_from, edges_to = array("l"), array("l")
    finished: list[int] = []
    queue = deque([first])
    while queue:
        world = queue.popleft()
        here = numbers[world]
        move = "all is over"
        try:
            if is_over(world):
                agreed(world)
                finished.append(here)
            for move, make, arguments in moves(world, rules):
                after = switch.settled(make(*arguments))
                number = numbers.get(after)
                if number is None:
                    number = numbers[after] = len(came)
                    came.append((here, move))
                    queue.append(after)
                edges_from.append(here)
                edges_to.append(number)
        except Broken as broken:
            raise Broken(f"{broken}; after: {' / '.join([*way(came, here), move])}") from None
    stuck = unable_to_end(len(came), edges_from, edges_to, finished)
    if stuck is not None:
        raise Broken(f"some call can never end; after: {' / '.join(way(came, stuck))}")
    return Found(rules.name, len(came), len(edges_from), len(finished), frozenset(switch.USED))


def way(came: list[tuple[int, str]], here: int) -> list[str]:
    """The moves that lead to a state."""
    steps = []
    while here > 0:
        here, move = came[here]
        steps.append(move)
    return steps[::-1]


def unable_to_end(count: int, tails: "array[int]", heads: "array[int]", ends: list[int]) -> int | None:
    """A state from which no way leads to the end of all calls; None if there is always one."""
    before: list[list[int]] = [[] for _ in range(count)]
    for tail, head in zip(tails, heads, strict=True):
        before[head].append(tail)
    able = bytearray(count)
    queue = deque(ends)
    for end in ends:
        able[end] = 1
    while queue:
        for tail in before[queue.popleft()]:
            if not able[tail]:
                able[tail] = 1
                queue.append(tail)
    stuck = able.find(0)
    return stuck if stuck >= 0 else None


def forget() -> None:
    """Forget what the machines answered: a table has been changed."""
    for remembered in (switch.receive, device.place, device.tell, device.hear, device.come_back):
        remembered.cache_clear()
