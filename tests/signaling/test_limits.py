"""Limits and tickets, by a clock that stands still."""

from collections.abc import Callable

from licensing.instant import SECOND
from signaling.buckets import SWEEP_AT, Buckets
from signaling.core.party import Party
from signaling.limits import Limits, network
from signaling.ports.entry import SignedIn
from signaling.tickets import Tickets
from tests.fakes.clock import HandClock
from wephone.protocol.ids import DeviceId, UserId

ALICE, BOB = UserId("alice"), UserId("bob")
PHONE = Party(ALICE, DeviceId("6a1f3a3e-61a1-4d0c-9a55-0f5f6f0c0001"))


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    buckets = Buckets(burst=3, every=2)
    assert [buckets.take("a", 0) for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a", 0) == 2
    assert buckets.take("b", 0) == 0
    assert buckets.take("a", SECOND) == 1
    assert buckets.take("a", 2 * SECOND) == 0
    assert buckets.take("a", 2 * SECOND) == 2


def test_what_is_given_back_can_be_taken_again() -> None:
    buckets = Buckets(burst=1, every=10)
    assert buckets.take("a", 0) == 0
    assert buckets.take("a", 0) == 10
    buckets.give_back("a")
    assert buckets.take("a", 0) == 0


def test_a_waiting_bucket_is_never_refilled_beyond_its_burst() -> None:
    buckets = Buckets(burst=2, every=1)
    buckets.give_back("a")
    assert [buckets.take("a", 1000 * SECOND) for _ in range(3)] == [0, 0, 1]


def test_buckets_forget_whoever_asks_no_more() -> None:
    buckets = Buckets(burst=1, every=1)
    for number in range(SWEEP_AT):
        buckets.take(number, 0)
    assert len(buckets) == SWEEP_AT
    buckets.take("late", 10 * SECOND)
    assert len(buckets) == 1


def test_calls_texts_and_frames_have_limits_of_their_own() -> None:
    clock = HandClock()
    limits = Limits(clock)
    kinds: list[tuple[Callable[[], float], int]] = [
        (lambda: limits.invite(ALICE), 40),
        (lambda: limits.text(ALICE, "192.0.2.1"), 80),
        (lambda: limits.invite_from("192.0.2.1"), 400),
        (lambda: limits.sign_up("192.0.2.1"), 25),
        (lambda: limits.frame(PHONE, 100), 500),
    ]
    for ask, many in kinds:
        waits = [ask() for _ in range(many)]
        assert waits[0] == 0
        assert waits[-1] > 0
        clock.advance(waits[-1] + 0.001)
        assert ask() == 0
    assert limits.invite(BOB) == limits.text(BOB, "192.0.2.1") == 0


def test_many_accounts_of_one_address_write_no_more_than_it_may() -> None:
    limits = Limits(HandClock())
    waits = [limits.text(UserId(f"user-{number}"), "192.0.2.1") for number in range(700)]
    assert waits[:600] == [0] * 600
    assert waits[-1] > 0
    assert limits.text(ALICE, "192.0.2.2") == 0


def test_large_frames_use_up_more() -> None:
    limits = Limits(HandClock())
    waits = [limits.frame(PHONE, 64 * 1024) for _ in range(40)]
    assert waits[:32] == [0] * 32
    assert waits[-1] > 0


def test_an_ipv6_customer_is_one_address() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:1")
    assert network("2001:db8:0:1::1") != network("2001:db8::1")
    assert network("192.0.2.1") != network("192.0.2.2")


def test_many_addresses_do_not_help_against_one_account_and_do_not_lock_it_at_once() -> None:
    limits = Limits(HandClock())
    for number in range(100):
        assert limits.sign_in("alice", f"192.0.2.{number}") == 0
        assert limits.sign_in("bob", "198.51.100.1") == 0 or number >= 10
    assert limits.sign_in("alice", "203.0.113.1") > 0


def test_a_ticket_is_redeemed_once_in_time_and_not_after_its_session() -> None:
    clock = HandClock()
    tickets = Tickets(clock)
    alice, other, bob = (
        SignedIn(user, session, 0) for user, session in ((ALICE, "one"), (ALICE, "two"), (BOB, "three"))
    )
    first, second, third = (tickets.issue(who) for who in (alice, other, bob))
    assert tickets.redeem(first) == alice
    assert tickets.redeem(first) is None
    again = tickets.issue(alice)
    tickets.withdraw(ALICE, "one")
    assert tickets.redeem(again) is None
    assert tickets.redeem(second) == other
    clock.advance(30)
    assert tickets.redeem(third) is None
    assert tickets.redeem("never issued") is None
