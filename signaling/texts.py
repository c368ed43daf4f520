"""Texts between users: stored first, then handed to every device in one order, with receipts."""

from collections.abc import Sequence

from signaling.errands import Errands
from signaling.facts import person_of
from signaling.lines import Line, Lines
from signaling.permission import Permission, Refused
from signaling.ports.clock import Clock
from signaling.ports.push import Bell
from signaling.ports.store import IdTakenError, Store, StoreError
from signaling.ports.texts import ReceiptRow, StoredText
from wephone.protocol.codec import PeerError
from wephone.protocol.ids import UserId
from wephone.protocol.messages import (
    Error,
    Read,
    Receipt,
    Received,
    Refusal,
    SendText,
    TextAccepted,
    TextMessage,
)
from wephone.protocol.reasons import ErrorCode, error_text

BATCH = 100  # texts read from the store at a time


class Texts:
    """Carries texts. What a device has is known by one number, the highest seq it acknowledged."""

    def __init__(self, store: Store, lines: Lines, clock: Clock, permission: Permission, bell: Bell) -> None:
        self._store = store
        self._bell = bell
        self._lines = lines
        self._clock = clock
        self._permission = permission
        self._errands = Errands("handling a text")

    def send(self, line: Line, message: SendText) -> None:
        """Accept a text, once; the answer leaves when it is durable."""
        self._errands.start(self._send(line, message))

    def received(self, line: Line, message: Received) -> None:
        """The device has everything up to this seq: its senders are told."""
        self._errands.start(self._received(line, message.seq))

    def read(self, line: Line, message: Read) -> None:
        """The person has read a conversation: its writer is told."""
        self._errands.start(self._read(line, message))

    async def catch_up(self, line: Line, device_name: str) -> None:
        """A device came without its session: give it what it has not acknowledged, and its receipts."""
        party = line.party
        line.text_seq = await self._store.sign_in_device(
            party.user, party.device, device_name, self._clock.now().utc_us
        )
        for row in await self._store.receipts(party.user):
            for receipt in receipts_of(row):
                line.send(receipt)
        await self._pump(line)

    async def close(self) -> None:
        """Wait for what is being stored."""
        await self._errands.close()

    async def _send(self, line: Line, message: SendText) -> None:
        try:
            stored = await self._accept(line.party.user, message)
        except IdTakenError:
            line.answer(text_error(message, ErrorCode.ID_TAKEN))
        except StoreError:
            line.answer(text_error(message, ErrorCode.NOT_STORED))
        except PeerError as error:
            line.answer(text_error(message, error.code, error.text))
        else:
            if isinstance(stored, Refusal):
                line.answer(text_error(message, ErrorCode.REFUSED, stored.text.en, stored))
                return
            line.answer(TextAccepted(message=stored.message, seq=stored.seq, at=stored.at))
            self._wake(stored.to)
            self._wake(stored.sender)

    async def _accept(self, sender: UserId, message: SendText) -> StoredText | Refusal:
        callee = self._permission.callee(message.to)
        if not isinstance(callee, UserId):
            person = await person_of(self._store, sender)
            to = self._permission.dialled(message.to, person)
            answer = await self._permission.may_text(message.message, person, to)
            if isinstance(answer, Refused):
                return answer.refusal
            raise PeerError(ErrorCode.UNREACHABLE, "texts to telephone numbers are not carried here", "to")
        ends = await self._store.ends(sender, callee)
        if ends.caller is None or ends.callee is None:
            raise PeerError(ErrorCode.UNKNOWN_USER, f"{callee!r}", "to")
        if ends.blocked:
            raise PeerError(ErrorCode.UNREACHABLE, f"{callee!r}", "to")
        answer = await self._permission.may_text(message.message, ends.caller, ends.callee)
        if isinstance(answer, Refused):
            return answer.refusal
        now = self._clock.now().utc_us
        stored, is_new = await self._store.accept_text(message.message, sender, callee, message.text, now)
        if is_new:
            self._bell.written(stored)
        return stored

    def _wake(self, user: UserId) -> None:
        for line in self._lines.of_user(user):
            if line.pumping:
                line.more_texts = True
            else:
                self._errands.start(self._pump(line))

    async def _pump(self, line: Line) -> None:
        """Read on from where the line is: order and completeness come from the store, not from us."""
        line.pumping = line.more_texts = True
        try:
            while line.more_texts:
                line.more_texts = False
                rows = await self._store.texts_after(line.party.user, line.text_seq, BATCH)
                for row in rows:
                    line.send(text_message(row))
                if rows:
                    line.text_seq = rows[-1].seq
                    line.more_texts = True
        finally:
            line.pumping = False

    async def _received(self, line: Line, seq: int) -> None:
        party = line.party
        rows = await self._store.received(party.user, party.device, seq, self._clock.now().utc_us)
        self._tell(rows)

    async def _read(self, line: Line, message: Read) -> None:
        row = await self._store.read(line.party.user, message.peer, message.seq, self._clock.now().utc_us)
        self._tell([row] if row else [])

    def _tell(self, rows: Sequence[ReceiptRow]) -> None:
        for row in rows:
            for line in self._lines.of_user(row.sender):
                for receipt in receipts_of(row):
                    line.send(receipt)


def text_message(row: StoredText) -> TextMessage:
    """A stored text as its devices get it."""
    return TextMessage(
        message=row.message, seq=row.seq, sender=row.sender, to=row.to, text=row.text, at=row.at
    )


def receipts_of(row: ReceiptRow) -> list[Receipt]:
    """What a writer is told of how far `row.by` has got."""
    receipts = []
    if row.delivered_seq:
        receipts.append(Receipt(kind="delivered", peer=row.by, seq=row.delivered_seq, at=row.at))
    if row.read_seq:
        receipts.append(Receipt(kind="read", peer=row.by, seq=row.read_seq, at=row.at))
    return receipts


def text_error(
    message: SendText, code: ErrorCode, text: str | None = None, refusal: Refusal | None = None
) -> Error:
    """Why a text was not accepted; the writer may correct it and send it again."""
    return Error(
        code=code, text=text or error_text(code), ref=message.ref, message=message.message, refusal=refusal
    )
