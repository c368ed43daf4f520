"""Who calls and writes in these tests."""

import uuid
from collections.abc import Iterator
from random import Random

from signaling.core.party import Party
from signaling.ports.accounts import Account, SessionRow
from signaling.ports.calls import OfferedCall
from wephone.protocol.ids import CallId, DeviceId, MessageId, UserId
from wephone.protocol.messages import Media

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
AT = 1_800_000_000_000_000  # µs: a moment in 2027

_random = Random(20261124)


def _uuid4() -> str:
    return str(uuid.UUID(int=_random.getrandbits(128), version=4))


def some_call() -> CallId:
    return CallId(_uuid4())


def some_message() -> MessageId:
    return MessageId(_uuid4())


def some_device() -> DeviceId:
    return DeviceId(_uuid4())


def device_of(user: UserId) -> Iterator[Party]:
    while True:
        yield Party(user, some_device())


ALICES, BOBS, BOBS_OTHER = Party(ALICE, some_device()), Party(BOB, some_device()), Party(BOB, some_device())


def offered(
    call: CallId | None = None,
    caller: Party = ALICES,
    callee: UserId = BOB,
    *,
    at: int = AT,
    owner: str = "local",
    decision: str | None = None,
) -> OfferedCall:
    return OfferedCall(call or some_call(), caller, callee, (Media.AUDIO,), decision, owner, 1, at)


def account(user: UserId, *, operator: bool = False) -> Account:
    return Account(user, "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA", operator, False, AT)


def session(name: str, user: UserId = ALICE, *, at: int = AT, expires_at: int = AT + 10**12) -> SessionRow:
    return SessionRow(name, user, "browser", "Firefox", at, at, expires_at)
