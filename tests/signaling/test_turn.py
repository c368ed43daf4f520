"""What helps the bridge across a NAT is what helps the apps."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from signaling.app import telephony
from signaling.media import Event, Helper
from signaling.settings import Settings
from signaling.turn import BRIDGE, turn_credentials
from tests.fakes.clock import START, HandClock
from wephone.protocol.ids import UserId

SECRET = "9f2b7c41d8e05a63"
STUN, RELAY = "stun:192.0.2.1:3478", "turn:192.0.2.1:3478?transport=udp"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[], tuple[Helper, ...]]]:
    """What the media backend of a server with these settings is made with."""
    made: list[Callable[[], tuple[Helper, ...]]] = []

    def backend(place: object, tell: object, helpers: Callable[[], tuple[Helper, ...]]) -> Any:
        made.append(helpers)

    def begin(clock: HandClock, **settings: Any) -> Callable[[], tuple[Helper, ...]]:
        monkeypatch.setattr(telephony, "EmbeddedBackend", backend)
        sound = telephony.sound_of(Settings(media="embedded", **settings), clock)
        assert sound is not None
        sound(ignore)
        return made[-1]

    return begin


def ignore(event: Event, /) -> None:
    pass


def test_each_leg_gets_credentials_of_its_own_moment(asked: Any) -> None:
    clock = HandClock()
    helpers = asked(clock, stun_urls=(STUN,), turn_urls=(RELAY,), turn_secret=SecretStr(SECRET))
    clock.advance(600)
    made = turn_credentials(SECRET, BRIDGE, START.utc_us // 1_000_000 + 600, 300)
    assert helpers() == (Helper(STUN), Helper(RELAY, made.username, made.credential))
    assert made.credential not in repr(helpers())


def test_without_servers_nobody_is_asked(asked: Any) -> None:
    assert asked(HandClock())() == ()


def test_the_bridge_has_no_users_name() -> None:
    assert re.fullmatch(UserId.pattern, BRIDGE) is None
