"""A grant is used once, a lease ends when it must, whatever is done in whatever order."""

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from licensing.classify import ServiceClass
from licensing.facts import CallFacts, Leg, LegKind, Role, app_leg
from licensing.grant import GRANT_LIFE, LEASE, Again, Attempt, Book, Grant, Lease
from licensing.identity import DecisionId
from licensing.instant import SECOND, Instant

NOON = Instant(1_764_072_000 * SECOND, 500 * SECOND)
ATTEMPT = Attempt("call", "callee", ServiceClass.PSTN_OUT, "+8613912345678", "+862112345678", "main")


FACTS = CallFacts((app_leg(Role.ORIGIN), Leg(Role.DESTINATION, LegKind.PSTN, "CN")))
FOREVER = 2**63 - 1


def again(decision: str, epoch: int) -> Again:
    return Again(DecisionId(decision), epoch, FOREVER)


def granted(book: Book, attempt: Attempt = ATTEMPT, decision: str = "D-1", now: Instant = NOON) -> Grant:
    grant = Grant(DecisionId(decision), attempt, FACTS, 1, FOREVER, now)
    book.issue(grant, now)
    return grant


def leased(book: Book) -> Lease:
    lease = book.redeem(granted(book), ATTEMPT, NOON)
    assert lease is not None
    return lease


def test_a_grant_is_consumed_once() -> None:
    book = Book()
    grant = granted(book)
    lease = book.redeem(grant, ATTEMPT, NOON)
    assert lease is not None
    assert lease.until_ns == NOON.mono_ns + LEASE
    assert book.redeem(grant, ATTEMPT, NOON) is None


@pytest.mark.parametrize(
    "other",
    [
        {"call": "another"},
        {"leg": "another"},
        {"service": ServiceClass.PSTN_BRIDGE},
        {"destination": "+8613900000000"},
        {"caller_id": None},
        {"trunk": "spare"},
    ],
)
def test_a_grant_is_for_the_one_attempt_that_it_names(other: dict[str, object]) -> None:
    book = Book()
    grant = granted(book)
    assert book.redeem(grant, replace(ATTEMPT, **other), NOON) is None  # type: ignore[arg-type]
    assert book.redeem(grant, ATTEMPT, NOON) is not None


def test_a_grant_that_nobody_issued_or_somebody_altered_is_worth_nothing() -> None:
    book = Book()
    grant = granted(book)
    elsewhere = replace(ATTEMPT, destination="+882161234567")
    assert book.redeem(Grant(DecisionId("D-2"), ATTEMPT, FACTS, 1, FOREVER, NOON), ATTEMPT, NOON) is None
    assert book.redeem(replace(grant, attempt=elsewhere), elsewhere, NOON) is None
    assert book.redeem(replace(grant, emergency=True), ATTEMPT, NOON) is None
    assert book.redeem(replace(grant, epoch=2), ATTEMPT, NOON) is None


def test_a_grant_grows_too_old() -> None:
    book = Book()
    young, old = granted(book, decision="D-1"), granted(book, decision="D-2")
    assert book.redeem(young, ATTEMPT, NOON.after(GRANT_LIFE - 1)) is not None
    assert book.redeem(old, ATTEMPT, NOON.after(GRANT_LIFE)) is None


def test_a_lease_is_renewed_while_it_lives_and_never_after() -> None:
    book = Book()
    lease = leased(book)
    renewed = book.renew(lease, NOON.after(LEASE - 1))
    assert renewed is not None
    assert renewed.until_ns == NOON.mono_ns + 2 * LEASE - 1
    assert book.renew(lease, NOON.after(LEASE - 1)) is None, "an older lease of the leg is worth nothing"
    assert book.renew(renewed, NOON.after(2 * LEASE - 1)) is None
    assert book.leases() == ()


def test_a_leg_that_lost_its_permit_winds_down_to_a_hard_end() -> None:
    book = Book()
    down = book.wind_down(leased(book), again("D-2", 2), 60, NOON)
    assert down is not None
    assert down.hard_end_ns == down.until_ns == NOON.mono_ns + 60 * SECOND
    assert book.renew(down, NOON.after(59 * SECOND)) == down
    later = book.wind_down(down, again("D-3", 3), 60, NOON.after(30 * SECOND))
    assert later is not None
    assert later.hard_end_ns == down.hard_end_ns, "a second loss gives no more time"
    sooner = book.wind_down(later, again("D-4", 4), 10, NOON.after(30 * SECOND))
    assert sooner is not None
    assert sooner.hard_end_ns == NOON.mono_ns + 40 * SECOND
    assert book.renew(sooner, NOON.after(40 * SECOND)) is None


def test_at_once_means_no_lease_at_all() -> None:
    book = Book()
    assert book.wind_down(leased(book), again("D-2", 2), 0, NOON) is None
    assert book.leases() == ()


def test_a_permit_that_comes_back_cancels_the_end() -> None:
    book = Book()
    down = book.wind_down(leased(book), again("D-2", 2), 60, NOON)
    assert down is not None
    back = book.stand(down, again("D-3", 3), NOON.after(SECOND))
    assert back is not None
    assert (back.winding_down, back.epoch, back.until_ns) == (False, 3, NOON.mono_ns + SECOND + LEASE)


def test_what_belongs_to_an_ended_call_is_withdrawn() -> None:
    book = Book()
    lease, unused = leased(book), granted(book, decision="D-2")
    book.withdraw("call")
    assert book.renew(lease, NOON) is None
    assert book.redeem(unused, ATTEMPT, NOON) is None


class AnySequence(RuleBasedStateMachine):
    """Whatever is asked of the book, in any order and at any time, with stale and forged values too."""

    grants: Bundle[Grant] = Bundle("grants")
    leases: Bundle[Lease] = Bundle("leases")

    @initialize()
    def start(self) -> None:
        self.book, self.now, self.count = Book(), NOON, 0
        self.redeemed: set[DecisionId] = set()
        self.ends: dict[tuple[str, str], int] = {}  # the hard end of each leg that winds down

    @rule(target=grants, call=st.sampled_from("AB"), leg=st.sampled_from("xy"), trunk=st.sampled_from("mn"))
    def issue(self, call: str, leg: str, trunk: str) -> Grant:
        self.count += 1
        attempt = Attempt(call, leg, ServiceClass.PSTN_OUT, "+8613912345678", None, trunk)
        return granted(self.book, attempt, f"D-{self.count}", self.now)

    @rule(seconds=st.sampled_from([0.001, 1, 9, 10, 11, 60, 121]))
    def wait(self, seconds: float) -> None:
        self.now = self.now.after(int(seconds * SECOND))

    @rule(target=leases, grant=grants, forged=st.booleans())
    def redeem(self, grant: Grant, forged: bool) -> Lease:
        asked = replace(grant, issued=self.now.after(1)) if forged else grant
        lease = self.book.redeem(asked, grant.attempt, self.now)
        if lease is None:
            return Lease(grant, grant.decision, 1, FOREVER, self.now.mono_ns + LEASE)  # one that is made up
        assert not forged
        assert grant.decision not in self.redeemed, "two leases from one grant"
        assert self.now.mono_ns < grant.issued.mono_ns + GRANT_LIFE
        self.redeemed.add(grant.decision)
        self.ends.pop(lease.leg, None)
        return lease

    @rule(target=leases, lease=leases)
    def renew(self, lease: Lease) -> Lease:
        renewed = self.book.renew(lease, self.now)
        if renewed is None:
            return lease
        assert lease.until_ns > self.now.mono_ns, "a lease that was over came back"
        return renewed

    @rule(target=leases, lease=leases, epoch=st.integers(2, 9))
    def stand(self, lease: Lease, epoch: int) -> Lease:
        standing = self.book.stand(lease, again("D-again", epoch), self.now)
        if standing is None:
            return lease
        self.ends.pop(lease.leg, None)
        return standing

    @rule(target=leases, lease=leases, seconds=st.sampled_from([0, 1, 30, 60, 900]))
    def wind_down(self, lease: Lease, seconds: int) -> Lease:
        down = self.book.wind_down(lease, again("D-no", 9), seconds, self.now)
        if down is None:
            return lease
        assert down.hard_end_ns is not None
        if lease.leg in self.ends:
            assert down.hard_end_ns <= self.ends[lease.leg], "a hard end moved away"
        self.ends[lease.leg] = down.hard_end_ns
        return down

    @rule(call=st.sampled_from("AB"))
    def withdraw(self, call: str) -> None:
        self.book.withdraw(call)
        self.ends = {leg: end for leg, end in self.ends.items() if leg[0] != call}
        assert all(lease.leg[0] != call for lease in self.book.leases())

    @invariant()
    def no_lease_outlives_what_it_stands_on(self) -> None:
        live = [lease for lease in self.book.leases() if self.book.is_live(lease, self.now)]
        assert len({lease.leg for lease in live}) == len(live), "a leg with two leases"
        for lease in live:
            assert lease.grant.decision in self.redeemed
            end = self.ends.get(lease.leg)
            if end is None:
                assert lease.until_ns <= self.now.mono_ns + LEASE
            else:
                assert self.now.mono_ns < lease.until_ns <= end, "a lease past its hard end"


TestAnySequence = AnySequence.TestCase
