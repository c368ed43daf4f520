"""A copy of a frozen value is what the standard library would make of it."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import pytest

from licensing.instant import Instant
from signaling.pstn.sip.headers import parse_address, parse_via
from signaling.pstn.sip.message import build
from signaling.pstn.sip.table import Phase
from signaling.pstn.sip.transaction import start_client
from signaling.pstn.sip.values import quick, replace
from tests.signaling.pstn.sip.samples import invite

INVITE = invite()
TRANSACTION = start_client(INVITE, Instant(0, 0), reliable=False)[0]


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        (INVITE, {}),
        (INVITE, {"call_id": "x", "body": b""}),
        (TRANSACTION, {"phase": Phase.TERMINATED, "timers": ()}),
        (parse_address("<sip:a@b>;tag=x"), {"parameters": ()}),
        (parse_via("SIP/2.0/UDP a;branch=z9hG4bK1"), {"port": 1}),
    ],
)
def test_a_copy_has_what_was_changed_and_the_rest(value: Any, changes: dict[str, Any]) -> None:
    assert replace(value, **changes) == dataclasses.replace(value, **changes)
    assert type(replace(value, **changes)) is type(value)


def test_what_was_written_of_a_value_is_not_said_of_its_copy() -> None:
    assert b"Call-ID: 3f1c@192.0.2.1" in build(INVITE)
    assert b"Call-ID: other" in build(replace(INVITE, call_id="other"))
    address = parse_address("<sip:a@b>;tag=x")
    assert str(address).endswith("tag=x")
    assert str(replace(address, parameters=())) == "<sip:a@b>"


def test_what_a_value_does_not_have_cannot_be_changed() -> None:
    for value, name in ((INVITE, "nothing"), (parse_address("<sip:a@b>"), "_text")):
        with pytest.raises(TypeError):
            replace(value, **{name: None})  # type: ignore[arg-type]


def test_a_value_that_looks_at_what_it_is_made_of_is_neither_quick_nor_copied_past_that() -> None:
    @dataclass(frozen=True, slots=True)
    class Careful:
        number: int

        def __post_init__(self) -> None:
            assert self.number

    assert replace(Careful(1), number=2) == Careful(2)
    with pytest.raises(AssertionError):
        replace(Careful(1), number=0)
    with pytest.raises(TypeError):
        quick(Careful)


@quick
@dataclass(frozen=True, slots=True)
class Made:
    """What `quick` must make as the standard library does."""

    first: int
    second: str = "two"
    hidden: int = field(default=7, init=False, compare=False)
    third: tuple[int, ...] = field(default=(), kw_only=True)


def test_a_quick_value_is_made_as_the_standard_library_would() -> None:
    made = Made(1, third=(3,))
    assert (made.first, made.second, made.hidden, made.third) == (1, "two", 7, (3,))
    assert Made(first=1, second="x") == Made(1, "x") != Made(1)
    assert repr(made) == "Made(first=1, second='two', hidden=7, third=(3,))"
    for wrong in ((), (1, "x", (3,)), (1, "x", 7, (3,))):
        with pytest.raises(TypeError):
            Made(*wrong)


def test_what_would_change_a_quick_value_is_an_error_to_mypy() -> None:
    """It reads the tests as well: without an error on the next line it would complain of what excuses it."""
    Made(1).first = 2  # type: ignore[misc]


def test_a_value_with_a_part_made_for_each_anew_is_not_quick() -> None:
    @dataclass(frozen=True, slots=True)
    class Listed:
        parts: list[int] = field(default_factory=list)

    with pytest.raises(TypeError):
        quick(Listed)
