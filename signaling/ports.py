"""What the switch and the edges ask of the world. The stores and `licensing` implement it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from licensing.audit import Draft
from licensing.instant import Instant
from licensing.reasons import Obligation
from signaling.core.events import Refused, Unroutable
from signaling.core.forwarding import NOWHERE, Forwarding
from signaling.core.holder import HolderFacts, Person
from signaling.core.party import Party
from wephone.protocol.ids import CallId, DeviceId, MessageId, UserId
from wephone.protocol.messages import Media, ServerMessage
from wephone.protocol.reasons import EndReason

# Times in rows are whole microseconds since 1970-01-01T00:00Z.


class StoreError(Exception):
    """A row could not be made durable; nothing was acknowledged."""


class IdTakenError(StoreError):
    """The id or name belongs to somebody else."""


Cancel = Callable[[], None]


class Clock(Protocol):
    """Where the edges get their time, and the only thing that makes them wait for it."""

    def now(self) -> Instant: ...

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back once when the monotonic half of `deadline` has come; calling the result forbids it."""
        ...


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a ticket was given to: the user, and the account session it was asked for with."""

    user: UserId
    session: str
    expires_at: int  # when that session ends by itself


class Tickets(Protocol):
    """Single-use tickets for the socket's first frame."""

    def redeem(self, ticket: str) -> SignedIn | None:
        """Whose ticket this is, once, within 30 s of its issue."""
        ...


class Limits(Protocol):
    """How much one party may ask for. Each answers the seconds to wait, 0 for go on."""

    def frame(self, party: Party, size: int) -> float: ...

    def invite(self, user: UserId) -> float: ...

    def invite_from(self, address: str) -> float: ...

    def text(self, user: UserId, address: str) -> float: ...


class Phone(Protocol):
    """A telephone as a party of a call: like a device, it hears what the call's machine sends to it, and what
    it says comes back as events."""

    def hear(self, message: ServerMessage) -> None: ...


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether a telephone may reach somebody else, by which decision, and who that is as records show it."""

    callee: str
    decision: str
    refused: Refused | None = None


class CallingPhone(Phone, Protocol):
    """A telephone that calls: of whomever else its call goes on to, the gate is asked anew."""

    def may_reach(self, callee: UserId) -> Awaitable[Reached]:
        """This user in the place of the one before, from now on under a grant of its own."""
        ...

    def may_be_bridged(self, dialled: str, payer: Person) -> Awaitable[Reached]:
        """A number that `payer` would answer for. Decided on, and refused: nothing joins two telephones."""
        ...


@dataclass(frozen=True, slots=True)
class Dialled:
    """What came of dialling: a phone that may be called now, or why there is none.

    `callee` is the number as records show it. `for_help`: no trouble with the store keeps the call.
    """

    callee: str
    decision: str | None
    outcome: Phone | Refused | Unroutable
    trunk: str | None = None
    for_help: bool = False


class Telephones(Protocol):
    """The telephone network, as calls to numbers ask for it."""

    def dial(
        self,
        call: CallId,
        phone: Party,
        caller: Person,
        dialled: str,
        media: tuple[Media, ...],
        payer: Person | None = None,
    ) -> Awaitable[Dialled]:
        """For `caller`, at the cost and by the number of `payer`, who is the caller if it is none.

        Read the number, ask the gate and whatever else may refuse, choose a trunk. Nothing is sent yet:
        that is done when `phone`, the party that the telephone is of the call, hears of the call."""
        ...

    def forget(self, call: CallId) -> None:
        """The call is over, and its record written: what was granted for it is worth nothing any more."""
        ...


@dataclass(frozen=True, slots=True)
class TrunkState:
    """One carrier's line as it stands. `health`: "up", "unknown" or "down"; `trouble` says why, in words."""

    name: str
    uri: str
    health: str
    trouble: str | None
    calls: int
    most_calls: int
    priority: int
    numbers: tuple[str, ...]  # of ours, by which it brings calls
    duties: tuple[str, ...]
    emergency_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfferedCall:
    """A call as it is offered: durable before any device rings. `decision` is the gate's id."""

    call: CallId
    caller: Party
    callee: UserId
    media: tuple[Media, ...]
    decision: str | None
    owner: str  # the node that runs the call's machine
    owner_epoch: int
    at: int
    trunk: str | None = None  # of a telephone call
    forwarded_to: str | None = None  # a user or a masked number, whom `callee` had it go on to
    forwarded_by: UserId | None = None  # whose rule was the last


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call that was answered and has not ended: it outlives the server."""

    call: CallId
    caller: Party
    answered_by: Party
    media: tuple[Media, ...]
    answered_at: int
    decision: str | None = None  # that allowed it
    ends_by: int | None = None  # an end was announced
    trunk: str | None = None  # of a telephone call, which does not outlive the server


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call, as its parties and the operator see it afterwards."""

    call: CallId
    caller: UserId  # or a masked number
    callee: str  # a user, or a masked number
    media: tuple[Media, ...]
    offered_at: int
    answered_at: int | None
    ended_at: int | None
    reason: EndReason | None
    missed: bool
    seen: bool
    decision: str | None
    trunk: str | None = None
    forwarded_to: str | None = None
    forwarded_by: UserId | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """Who placed a call and how many seconds of it were talked; 0 if nobody answered."""

    call: str
    caller: UserId
    seconds: int


@dataclass(frozen=True, slots=True)
class CallsOfSpan:
    """The calls placed in one span of time; what was `waited` for answers, in all and the longest (µs)."""

    span: int  # its number, from 0
    placed: int
    answered: int
    refused: int
    waited: int
    longest: int


@dataclass(frozen=True, slots=True)
class RefusalsOfSpan:
    """How many calls placed in one span were refused for one reason: a decision's, or the call's own."""

    span: int
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class SoundOfSpan:
    """The sound of the telephone legs begun in one span: packets, those lost, and the mean jitter (µs)."""

    span: int
    packets: int
    lost: int
    jitter: int


@dataclass(frozen=True, slots=True)
class ChartRows:
    """In no order; where nothing was there is no row."""

    calls: Sequence[CallsOfSpan]
    refusals: Sequence[RefusalsOfSpan]
    sound: Sequence[SoundOfSpan]


class CallRows(Protocol):
    """The durable half of calls. Every method raises StoreError when the row is not durable."""

    def offer(self, row: OfferedCall) -> Awaitable[None]:
        """Durable before the first ring. IdTakenError if the call id was ever used."""
        ...

    def forward(self, row: OfferedCall) -> Awaitable[None]:
        """A call that rang in vain goes on: to whom, by whose rule, and what was decided on that."""
        ...

    def answer(self, call: CallId, by: Party, at: int, owner_epoch: int) -> Awaitable[bool]:
        """Fence the answer in one guarded statement; False if another party or owner was first."""
        ...

    def end(
        self, call: CallId, reason: EndReason, at: int, missed: bool, decision: str | None = None
    ) -> Awaitable[None]:
        """The call's one end, and the decision if one ended it; a second end changes nothing."""
        ...

    def course(self, call: CallId, media: tuple[Media, ...], ends_by: int | None) -> Awaitable[None]:
        """What a running call carries now, and by when it has to be over if it winds down."""
        ...

    def refused(
        self, row: OfferedCall, reason: EndReason, callee: str, ended_at: int | None = None
    ) -> Awaitable[None]:
        """A call that was never offered: its record, already ended. `callee` is user or masked number;
        without `ended_at` it ended at the moment it was placed."""
        ...

    def live_calls(self) -> Awaitable[Sequence[LiveCall]]:
        """At start: answered and not ended."""
        ...

    def abandon_ringing(self, at: int) -> Awaitable[int]:
        """At start: end what rang when the last server died (SERVER_RESTARTED, missed); how many."""
        ...

    def history(self, user: UserId, before: int, limit: int) -> Awaitable[Sequence[CallRecord]]:
        """A user's calls, newest first, offered before `before`."""
        ...

    def records(self, before: int, after: str, limit: int) -> Awaitable[Sequence[CallRecord]]:
        """Everybody's calls, newest first: offered before `before`, or at it with an id after `after`."""
        ...

    def how_it_ended(self, call: CallId, user: UserId) -> Awaitable[EndReason | None]:
        """Why this call of this user ended; none if it has not, was not offered, or was not theirs."""
        ...

    def talked(self, calls: Sequence[str]) -> Awaitable[Sequence[Talk]]:
        """Of those of these calls that there is a row of, in any order."""
        ...

    def charts(self, since: int, until: int, width: int) -> Awaitable[ChartRows]:
        """Calls placed from `since` until before `until`, by spans of `width` (µs)."""
        ...

    def ends_that_differ(self) -> Awaitable[Sequence[str]]:
        """Some of the calls whose row is not what the journal's entry of their end says."""
        ...

    def missed_calls(self, user: UserId) -> Awaitable[Sequence[CallRecord]]:
        """Missed and not yet seen, oldest first."""
        ...

    def missed_seen(self, user: UserId, calls: Sequence[CallId]) -> Awaitable[None]:
        """The person has seen them, on any device."""
        ...


Duties = tuple[tuple[Obligation, bool], ...]  # what the law asks for a leg, and whether its trunk does that


@dataclass(frozen=True, slots=True)
class BegunLeg:
    """One attempt at one trunk, or one call that a trunk brings: durable before its first message leaves."""

    leg: str  # its id; several may be of one call, one after another
    call: CallId
    trunk: str
    account: UserId  # whose calls it counts with
    outgoing: bool
    decision: str
    most_seconds: int | None  # that it may last; none for a call for help
    at: int
    duties: Duties = ()


@dataclass(frozen=True, slots=True)
class LegSound:
    """What came of a leg's sound from both sides: packets, how many were lost on the way, jitter (µs)."""

    packets: int
    lost: int
    jitter: int


@dataclass(frozen=True, slots=True)
class LegEnd:
    """How a leg ended: in words, by Q.850, by SIP. Not `confirmed`: the carrier may still charge."""

    at: int
    words: str
    q850: int | None
    status: int | None
    confirmed: bool = True
    sound: LegSound | None = None  # none if it had none


@dataclass(frozen=True, slots=True)
class LegRow:
    """A telephone leg as it stands. `dialog` is JSON (`signaling.pstn.kept`)."""

    leg: str
    call: CallId
    trunk: str
    account: UserId
    outgoing: bool
    decision: str
    begun_at: int
    answered_at: int | None
    ended_at: int | None
    dialog: str | None
    words: str | None
    q850: int | None
    status: int | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """Outgoing telephone calls: alive now, of the last hour, and seconds of the last 24 hours, in which those
    that are alive count with all that they may take."""

    calls: int = 0
    attempts: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Entitlement:
    """That an account may call telephones, and how much. Countries that are not named are closed."""

    countries: frozenset[str]
    by: UserId  # the operator who granted it
    at: int
    concurrent_calls: int = 2
    calls_per_hour: int = 20
    minutes_per_day: int = 60
    call_minutes: int = 60


class TelephoneRows(Protocol):
    """Telephone legs, and who may have any. StoreError when something is not durable."""

    def begin_leg(self, row: BegunLeg) -> Awaitable[None]:
        """Its call's record names its trunk from now on."""
        ...

    def keep_leg(self, leg: str, dialog: str, at: int) -> Awaitable[None]:
        """It is answered; with this dialog it can be ended after a restart."""
        ...

    def end_leg(self, leg: str, end: LegEnd) -> Awaitable[None]:
        """It is over; said again when the carrier confirms that late."""
        ...

    def open_legs(self) -> Awaitable[Sequence[LegRow]]:
        """At start: what the last server of this node did not end."""
        ...

    def unconfirmed_legs(self, limit: int) -> Awaitable[Sequence[LegRow]]:
        """Those whose end no carrier has confirmed, newest first."""
        ...

    def is_unconfirmed(self, leg: str) -> Awaitable[bool]: ...

    def settle_leg(self, leg: str) -> Awaitable[None]:
        """An operator has the carrier's word: it is over, and unconfirmed no more."""
        ...

    def legs_of_call(self, call: CallId) -> Awaitable[Sequence[LegRow]]:
        """All attempts of one call, oldest first."""
        ...

    def used_by_account(self, account: UserId, at: int) -> Awaitable[Usage]: ...

    def used_by_trunk(self, trunk: str, at: int) -> Awaitable[Usage]: ...

    def entitle(self, user: UserId, entitlement: Entitlement) -> Awaitable[bool]:
        """From now on, in place of what was granted before; False if there is no such account."""
        ...

    def unentitle(self, user: UserId) -> Awaitable[bool]:
        """It may call no telephone any more; False if it might not."""
        ...

    def entitlement(self, user: UserId) -> Awaitable[Entitlement | None]: ...


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text with its place in the server's order."""

    message: MessageId
    seq: int
    sender: UserId
    to: UserId
    text: str
    at: int
    delivered_at: int | None = None
    read_at: int | None = None


@dataclass(frozen=True, slots=True)
class LatestText:
    """A conversation in the list of them: its last text, and how many of the other's texts are unread."""

    peer: UserId
    text: StoredText
    unread: int


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """How far `by` has got with the texts that `sender` wrote."""

    sender: UserId
    by: UserId
    delivered_seq: int
    read_seq: int
    at: int


class TextRows(Protocol):
    """Texts: accepted once, in one order, kept until read by all the devices that asked."""

    def accept_text(
        self, message: MessageId, sender: UserId, to: UserId, text: str, at: int
    ) -> Awaitable[tuple[StoredText, bool]]:
        """Durable; the same id from its author again gives the same row and False.

        IdTakenError when the id is another author's or names other words.
        """
        ...

    def sign_in_device(self, user: UserId, device: DeviceId, name: str, at: int) -> Awaitable[int]:
        """The seq up to which this device has its texts; a new device starts at the oldest undelivered."""
        ...

    def leave_device(self, user: UserId, device: DeviceId, at: int) -> Awaitable[None]:
        """It was here until now."""
        ...

    def spare_devices(self, user: UserId, here: Sequence[DeviceId], most: int) -> Awaitable[None]:
        """Forget the devices beyond `most`: of those that are not `here`, the ones away for longest."""
        ...

    def texts_after(self, user: UserId, seq: int, limit: int) -> Awaitable[Sequence[StoredText]]:
        """Texts to this user, and by it, after `seq`, in order."""
        ...

    def received(self, user: UserId, device: DeviceId, seq: int, at: int) -> Awaitable[Sequence[ReceiptRow]]:
        """Move the device's mark; the receipts that this newly causes, one for each sender."""
        ...

    def read(self, user: UserId, peer: UserId, seq: int, at: int) -> Awaitable[ReceiptRow | None]:
        """Mark `peer`'s texts as read; the receipt if that is news."""
        ...

    def receipts(self, sender: UserId) -> Awaitable[Sequence[ReceiptRow]]:
        """How far everybody has got with this sender's texts."""
        ...

    def conversation(
        self, user: UserId, peer: UserId, before: int, limit: int
    ) -> Awaitable[Sequence[StoredText]]:
        """Texts between two users with a seq below `before`, newest first."""
        ...

    def conversations(self, user: UserId, before: int, limit: int) -> Awaitable[Sequence[LatestText]]:
        """The latest text with each other user, if its seq is below `before`, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """A user as the server knows it. `password` is an argon2id string (RFC 9106).

    An auditor reads what operators see and changes nothing; nobody is both.
    """

    user: UserId
    password: str
    operator: bool
    disabled: bool
    created_at: int
    do_not_disturb: bool = False
    auditor: bool = False
    shows_presence: bool = True


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A sign-in that lasts. Only the SHA-256 of its token is kept."""

    session: str  # UUIDv7
    user: UserId
    kind: str  # "browser" or "headless"
    label: str  # what the client called itself
    created_at: int
    seen_at: int
    expires_at: int


class AccountRows(Protocol):
    """Accounts, sessions, invitations, blocks and contacts."""

    def add_account(self, account: Account) -> Awaitable[None]:
        """IdTakenError if the name is or was in use."""
        ...

    def account(self, user: UserId) -> Awaitable[Account | None]: ...

    def accounts_from(self, first: str, limit: int, *, staff: bool = False) -> Awaitable[Sequence[Account]]:
        """A page by name, from this one on; `staff`: operators and auditors alone."""
        ...

    def set_password(self, user: UserId, password: str) -> Awaitable[None]: ...

    def rehash(self, user: UserId, old: str, new: str) -> Awaitable[None]:
        """The same password, hashed as is done now; nothing, if it was changed meanwhile."""
        ...

    def set_disabled(self, user: UserId, disabled: bool) -> Awaitable[bool]:
        """False, and nothing done, if that leaves no enabled operator, also when two do it at once."""
        ...

    def set_do_not_disturb(self, user: UserId, on: bool) -> Awaitable[None]: ...
    def set_forwarding(self, user: UserId, rules: Forwarding) -> Awaitable[None]: ...
    def forwarding(self, user: UserId) -> Awaitable[Forwarding]: ...
    def set_shows_presence(self, user: UserId, on: bool) -> Awaitable[None]: ...

    def presence(self, user: UserId) -> Awaitable[Sequence[tuple[UserId, int | None]]]:
        """Which of `user`'s contacts let them see that they are there, and when a device of theirs last was.

        Those who have noted `user` down too, have not blocked them and show their presence at all.
        """
        ...

    def delete_account(self, user: UserId, at: int) -> Awaitable[bool]:
        """Remove what is the user's own; the name stays taken, records keep what the law needs.

        False, and nothing done, if that leaves no enabled operator, also when two do it at once.
        """
        ...

    def export_account(self, user: UserId) -> Awaitable[dict[str, object]]:
        """Everything held about the user, ready for JSON."""
        ...

    def add_session(self, row: SessionRow, token_hash: bytes) -> Awaitable[None]: ...

    def session(self, token_hash: bytes, at: int) -> Awaitable[SessionRow | None]:
        """The unexpired session of an enabled account."""
        ...

    def sessions(self, user: UserId, at: int) -> Awaitable[Sequence[SessionRow]]: ...

    def name_session(self, user: UserId, session: str, label: str) -> Awaitable[bool]:
        """What its owner calls it from now on; False if there is none."""
        ...

    def end_session(self, user: UserId, session: str) -> Awaitable[bool]:
        """True if there was one."""
        ...

    def end_sessions(self, user: UserId) -> Awaitable[int]:
        """Sign out everywhere; how many."""
        ...

    def add_invitation(self, token_hash: bytes, by: UserId, at: int, expires_at: int) -> Awaitable[None]: ...

    def take_invitation(self, token_hash: bytes, user: UserId, at: int) -> Awaitable[bool]:
        """Use it up in one guarded statement; False if used, unknown or expired."""
        ...

    def block(self, user: UserId, blocked: UserId, on: bool, most: int | None = None) -> Awaitable[bool]:
        """Block or unblock. False, and nothing done, if that would be more than `most`."""
        ...

    def blocked_by(self, user: UserId) -> Awaitable[Sequence[UserId]]: ...

    def has_blocked(self, user: UserId, other: UserId) -> Awaitable[bool]:
        """Whether `user` has blocked `other`."""
        ...

    def set_contact(
        self, user: UserId, contact: UserId, name: str | None, most: int | None = None
    ) -> Awaitable[bool]:
        """Add or rename a contact; none removes it. False, and nothing done, if it would be one too many."""
        ...

    def contacts(self, user: UserId) -> Awaitable[Sequence[tuple[UserId, str]]]: ...


@dataclass(frozen=True, slots=True)
class Ends:
    """The two accounts of a call or text as they are now; none where there is none that may be used."""

    caller: Person | None
    callee: Person | None
    do_not_disturb: bool  # the callee
    blocked: bool  # the callee has blocked the caller
    forwarding: Forwarding = NOWHERE  # the callee's rules


@dataclass(frozen=True, slots=True)
class FactsChange:
    """What is known about a holder from now on, made from `version` of it (0: nothing was known)."""

    user: UserId
    version: int
    facts: HolderFacts
    owned: tuple[str, ...]  # numbers that become this account's
    disowned: tuple[str, ...]
    entry: str  # the subject of the journal's entry
    hash: str  # what stands there for what was said


@dataclass(frozen=True, slots=True)
class FactsEntry:
    """One thing that was said about a holder; `said` is none once its time in clear is over."""

    entry: str
    at: int
    said: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class StatedEntry:
    """One statement. `at`, `body`: of its entry in the chain, if there is one; `said`: none once erased."""

    entry: str
    at: int | None
    body: str | None
    said: str | None


@dataclass(frozen=True, slots=True)
class StatedFacts:
    """The facts of one account as they are used, and all that was said about it, oldest first."""

    account: str
    document: str
    entries: tuple[StatedEntry, ...]


class HolderRows(Protocol):
    """What is known about the holders of accounts."""

    def ends(self, caller: UserId, callee: UserId) -> Awaitable[Ends]:
        """Everything about two accounts that a call or text between them is begun with, in one look."""
        ...

    def facts(self, user: UserId) -> Awaitable[tuple[HolderFacts, int] | None]:
        """What is known now, and its version; none if there is no such account."""
        ...

    def change_facts(self, change: FactsChange, draft: Draft) -> Awaitable[bool]:
        """In one transaction with the journal's entry; False, and no trace, if the version has passed.

        IdTakenError if a number is another account's.
        """
        ...

    def stated(self, after: str, most: int) -> Awaitable[Sequence[StatedFacts]]:
        """Everybody's facts beside the entries that say so, in the order of the accounts, after this one."""
        ...

    def facts_history(self, user: UserId, most: int) -> Awaitable[Sequence[FactsEntry]]:
        """What was said, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Sleeper:
    """A device that can be woken: its browser's subscription, and the language of what it shows."""

    device: DeviceId
    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)
    language: str


class PushRows(Protocol):
    """Where devices can be woken."""

    def keep_push(self, user: UserId, sleeper: Sleeper, session: str, at: int) -> Awaitable[bool]:
        """In the place of what the device, or this browser, had; False if there is no such device."""
        ...

    def forget_push(self, endpoint: str) -> Awaitable[None]:
        """The push service says that it is no more."""
        ...

    def forget_device_push(self, user: UserId, device: DeviceId) -> Awaitable[None]: ...

    def sleepers(self, user: UserId, at: int) -> Awaitable[Sequence[Sleeper]]:
        """All that are signed in by a session that lasts."""
        ...


class Bell(Protocol):
    """Wakes devices that have no connection; what becomes of that nobody waits for."""

    def ring(
        self, call: CallId, caller: UserId, callee: UserId, media: tuple[Media, ...]
    ) -> Awaitable[Sequence[DeviceId]]:
        """Somebody is called: wake what sleeps. The devices that may now come."""
        ...

    def quiet(self, call: CallId, *, missed: bool = False) -> None:
        """It rings no more: it was answered, or is over."""
        ...

    def written(self, text: StoredText) -> None:
        """Somebody has a text: wake what sleeps."""
        ...


class Upkeep(Protocol):
    """What keeps the store itself in order."""

    def purge(self, kind: str, before: int) -> Awaitable[int]:
        """Delete what a class of retention no longer needs.

        Classes: "texts", "calls", "sessions", "devices", "clear_values".
        """
        ...

    def purged_at(self) -> Awaitable[int | None]:
        """When all classes were last gone through; none if nobody has noted that yet."""
        ...

    def note_purge(self, at: int) -> Awaitable[None]:
        """All classes were gone through."""
        ...

    def ready(self) -> Awaitable[None]:
        """StoreError unless a row could be written now."""
        ...

    def durability_problem(self) -> Awaitable[str | None]:
        """Why what is committed may be lost with the power, in one sentence; none if it may not."""
        ...

    def close(self) -> Awaitable[None]: ...


class Store(CallRows, TelephoneRows, TextRows, AccountRows, HolderRows, PushRows, Upkeep, Protocol):
    """All rows of one database; the gate's journal and permits are `licensing.ports` on the same one."""
