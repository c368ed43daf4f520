"""Calls to telephone numbers: the gate decides and writes it down. No carrier is connected yet."""

import logging
from collections.abc import Callable

from signaling.core.holder import Person
from signaling.core.party import Party
from signaling.errands import Errands
from signaling.facts import person_of
from signaling.metrics import Metrics
from signaling.permission import Answer, Permission, Refused, masked
from signaling.ports import Clock, IdTakenError, OfferedCall, Store, StoreError
from signaling.remembered import Remembered
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Ended, Error, Invite
from wephone.protocol.reasons import EndReason, ErrorCode, error_text

log = logging.getLogger(__name__)

Tell = Callable[[Party, Ended | Error], None]


class Dialling:
    """What was dialled, by whom, and how it ended."""

    def __init__(
        self,
        *,
        node: str,
        epoch: int,
        clock: Clock,
        store: Store,
        permission: Permission,
        metrics: Metrics,
        tell: Tell,
    ) -> None:
        """`tell`: to a device that is there; an error is an answer, outside the count."""
        self._node, self._epoch = node, epoch
        self._clock, self._store, self._permission, self._metrics = clock, store, permission, metrics
        self._tell = tell
        self._calls: dict[CallId, tuple[Party, Ended | None]] = {}
        self._over = Remembered(clock)
        self._errands = Errands("a call to a number")

    def dial(self, caller: Party, invite: Invite) -> None:
        """Begin; the caller hears in any case how it ended."""
        for call in self._over.forgotten():
            self._calls.pop(call, None)
        self._calls[invite.call] = (caller, None)
        self._errands.start(self._dial(caller, invite))

    def caller(self, call: CallId) -> Party | None:
        """Who dialled this call; none if it is no call to a number."""
        known = self._calls.get(call)
        return None if known is None else known[0]

    def say_again(self, call: CallId) -> None:
        """Its caller asks again, after a broken link."""
        caller, ended = self._calls[call]
        if ended is not None:
            self._tell(caller, ended)

    async def close(self) -> None:
        """Wait for what is being decided and written."""
        await self._errands.close()

    async def _dial(self, caller: Party, invite: Invite) -> None:
        try:
            person = await person_of(self._store, caller.user)
        except StoreError:
            log.exception("what is known about a caller could not be read")
            person = Person(caller.user)
        to = self._permission.dialled(invite.to, person)
        answer = await self._permission.may_dial(invite.call, person, to, invite.media)
        ended = self._undialled(invite.call, answer)
        now = self._clock.now().utc_us
        row = OfferedCall(
            invite.call, caller, caller.user, invite.media, answer.decision, self._node, self._epoch, now
        )
        try:
            await self._store.refused(row, ended.reason, masked(to))
        except IdTakenError:
            if not await self._ended_for(invite.call, caller):
                self._calls.pop(invite.call)
                code = ErrorCode.ID_TAKEN
                self._metrics.error(code)
                self._tell(caller, Error(code=code, text=error_text(code), ref=invite.ref, call=invite.call))
                return
        except StoreError:
            log.exception("a refused call could not be recorded")
        self._calls[invite.call] = (caller, ended)
        self._over.add(invite.call)
        self._tell(caller, ended)

    async def _ended_for(self, call: CallId, caller: Party) -> bool:
        """Is the row under this id that of the same call, which an earlier server has refused?"""
        try:
            return await self._store.how_it_ended(call, caller.user) is not None
        except StoreError:
            log.exception("how a call ended could not be read")
            return False

    def _undialled(self, call: CallId, answer: Answer) -> Ended:
        if isinstance(answer, Refused):
            self._metrics.refused(answer.refusal.code)
            return Ended(call=call, reason=EndReason.REFUSED, refusal=answer.refusal)
        return Ended(call=call, reason=EndReason.NO_ROUTE)
