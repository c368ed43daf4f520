"""A device's line: what it was told, kept for as long as it may come back."""

import pytest

from licensing.instant import SECOND
from signaling.core.party import Party
from signaling.lines import Line, Lines
from tests.fakes.clock import HandClock
from wephone.protocol.ids import DeviceId, SessionId, UserId
from wephone.protocol.messages import Draining, Resume

PHONE = Party(UserId("alice"), DeviceId("00000000-0000-4000-8000-000000000001"))
RESUME = 60 * SECOND


class Frames(list[bytes]):
    """Where frames leave, in a test."""

    def send(self, payload: bytes) -> None:
        self.append(payload)

    def close(self) -> None:
        """Nothing is open."""


class Stay:
    """The lines of a node, those it gave up, and one device on them."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.lost: list[Party] = []
        self.lines = Lines(self.clock, RESUME, self.lost.append)
        self.line = self.open("session-1")
        self.frames = Frames()
        self.line.outlet = self.frames

    def open(self, session: str) -> Line:
        line = Line(PHONE, SessionId(session), sign_in="s")
        self.lines.open(line)
        return line

    def disconnect(self) -> None:
        self.line.outlet = None
        self.lines.wait_for(self.line)


@pytest.fixture
def stay() -> Stay:
    return Stay()


def test_what_was_said_while_a_device_was_away_is_said_when_it_is_back(stay: Stay) -> None:
    stay.line.send(Draining(within=1.0))
    stay.disconnect()
    stay.line.send(Draining(within=2.0))
    resumed = stay.lines.resume(PHONE, Resume(session=SessionId("session-1"), n=1))
    assert resumed is not None
    line, missed = resumed
    assert line is stay.line
    assert missed == [b'{"type":"draining","within":2.0,"n":2}']


def test_an_answer_outside_the_count_is_lost_with_its_connection(stay: Stay) -> None:
    stay.disconnect()
    stay.line.answer(Draining(within=1.0))
    resumed = stay.lines.resume(PHONE, Resume(session=SessionId("session-1"), n=0))
    assert resumed is not None and resumed[1] == []


@pytest.mark.parametrize(("session", "n"), [("session-2", 0), ("session-1", 7)])
def test_a_session_that_is_not_this_one_or_not_so_far_cannot_be_resumed(
    stay: Stay, session: str, n: int
) -> None:
    assert stay.lines.resume(PHONE, Resume(session=SessionId(session), n=n)) is None


def test_a_device_that_comes_back_in_time_is_not_given_up(stay: Stay) -> None:
    stay.disconnect()
    stay.clock.advance(59.0)
    stay.lines.stop_waiting(stay.line)
    stay.clock.advance(120.0)
    assert stay.lost == [] and stay.lines.get(PHONE) is stay.line


def test_a_device_that_stays_away_is_given_up_once_its_time_is_over(stay: Stay) -> None:
    stay.disconnect()
    stay.clock.advance(59.9)
    assert stay.lost == []
    stay.clock.advance(0.2)
    assert stay.lost == [PHONE] and stay.lines.get(PHONE) is None


def test_the_end_of_an_old_line_does_not_touch_the_one_in_its_place(stay: Stay) -> None:
    new = stay.open("session-2")
    stay.lines.drop(stay.line)
    assert stay.lines.get(PHONE) is new and stay.lost == []


def test_a_party_of_a_call_that_outlived_the_server_has_the_resume_time_to_connect(stay: Stay) -> None:
    other = Party(UserId("bob"), PHONE.device)
    stay.lines.expect(other)
    assert stay.lines.resume(other, Resume(session=SessionId("session-1"), n=0)) is None
    stay.clock.advance(61.0)
    assert stay.lost == [other]


def test_only_connected_devices_are_counted_as_connected(stay: Stay) -> None:
    assert stay.lines.connected() == 1
    stay.disconnect()
    assert stay.lines.connected() == 0 and len(list(stay.lines.all())) == 1
