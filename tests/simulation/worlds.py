"""The worlds that are searched: two users, up to two devices each, and one kind of trouble in each world.

All troubles at once would be too many states for a machine; each world is exhaustive within its rules.
"""

from dataclasses import replace

from signaling.core import events
from tests.simulation.world import ALICE, BOB, NO, TELLER, Rules, X, Y, party
from wephone.protocol.reasons import EndReason

A1, A2, B1, B2 = party(ALICE, 1), party(ALICE, 2), party(BOB, 1), party(BOB, 2)
ALL = (A1, A2, B1, B2)
CALL = ((X, A1, BOB),)
GLARE = ((X, A1, BOB), (Y, B1, ALICE))  # the call of alice survives
LATER = ((Y, A1, BOB), (X, B1, ALICE))  # the call of bob survives, though alice's may be the older
GATE = (
    events.Allowed(),
    events.Refused(NO),
    events.Unroutable(EndReason.UNKNOWN_USER),
    events.OfferNotRecorded(),
)
TOLD = (events.Refused(NO, teller=TELLER),)
STORE = (events.AnswerRecorded(), events.AnswerNotRecorded())

# Seconds in all, not minutes, on one core.
FAST = (
    Rules("a call, two devices each, timers that come late", ALL, CALL, late_timers=2),
    Rules("devices that say only that they ring", (A1, B1, B2), CALL, terse=True),
    Rules("glare, whatever gate and store say", (A1, B1), GLARE, gate=GATE, store=STORE),
    Rules("glare, with candidates", (A1, B1), GLARE, trickles=True),
    Rules("changes that cross", (A1, B1), CALL, changes=2, late_timers=1),
    Rules("a change, a cut and a restart", (A1, B1), CALL, changes=1, cuts=1, restarts=1),
    Rules(
        "candidates, failing media, a cut and a restart",
        (A1, B1),
        CALL,
        trickles=True,
        failures=1,
        cuts=1,
        restarts=1,
    ),
    Rules("a permit lost and found again", (A1, B1, B2), CALL, losses=2, returns=1, terse=True),
    Rules("a permit lost to a call by glare", (A1, B1), GLARE, losses=1, timeouts=False),
    Rules("the operator ends a call", (A1, B1, B2), CALL, orders=1, timeouts=False),
    Rules("the operator ends a call by glare", (A1, B1), GLARE, orders=1, timeouts=False),
    Rules("a permit lost, a cut and a restart", (A1, B1), CALL, losses=1, returns=1, cuts=1, restarts=1),
    Rules("sound before the answer", (A1, B1), CALL, sounds=1, trickles=True, cuts=1),
    Rules("sound before the answer of two", (A1, B1, B2), CALL, sounds=2, terse=True),
    Rules(
        "a refusal that is told aloud",
        (A1, B1, B2),
        CALL,
        gate=TOLD,
        absent=(B2,),
        sounds=1,
        trickles=True,
        cuts=1,
        losses=1,
        orders=1,
        late_timers=1,
    ),
    Rules("a refusal told aloud to who is called too", (A1, B1), GLARE, gate=(*TOLD, events.Allowed())),
    Rules("video, if the gate allows it", (A1, B1), CALL, losses=1, changes=2, video=True),
    Rules("a cut among two devices", (A1, B1, B2), CALL, cuts=1),
    Rules("a restart among two devices", (A1, B1, B2), CALL, restarts=1),
    Rules("glare and a restart", (A1, B1), GLARE, restarts=1, timeouts=False, declines=False),
    Rules("glare and a cut", (A1, B1), GLARE, cuts=1, timeouts=False, declines=False),
    Rules(
        "glare, and a device that signs in meanwhile",
        (A1, B1, B2),
        GLARE,
        absent=(B2,),
        terse=True,
        timeouts=False,
        declines=False,
    ),
    Rules("glare that the earlier call wins", (A1, B1, B2), GLARE, timeouts=False, declines=False),
    Rules("glare that the later call wins", (A1, B1, B2), LATER, timeouts=False, declines=False),
    Rules("glare, two devices each", ALL, GLARE, terse=True, cancels=False),
)

# Minutes and a gigabyte: more freedoms in each.
FULL = (
    *(
        replace(rules, timeouts=True, declines=True)
        for rules in FAST
        if not (rules.timeouts and rules.declines)
    ),
    Rules("glare, two devices each, that say what they have", ALL, GLARE, cancels=False),
    Rules(
        "glare, two devices each, people who cancel", ALL, GLARE, terse=True, timeouts=False, declines=False
    ),
    Rules("two cuts and failing media", (A1, B1), CALL, cuts=2, failures=1),
    Rules("a cut and a restart among two devices", (A1, B1, B2), CALL, cuts=1, restarts=1, terse=True),
)
