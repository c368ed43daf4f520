"""Real sessions and real calls on wires that lose, delay, repeat and reorder, with cuts and restarts.

Unlike the search this holds one history, as long as one likes, with the numbers, acknowledgements and
resumption of a session as they are. Whoever drives it picks the next move by a number.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from signaling.core import effects, events
from signaling.core.call import Call, Phase, place, restored
from signaling.core.glare import glare
from signaling.core.party import Party
from signaling.core.replay import Replay
from tests.signaling.core.collision import resolved
from tests.simulation.device import AUDIO, NONCE, Broken, answers
from tests.simulation.phone import Phone, welcome
from tests.simulation.switch import call_of, event_of
from tests.simulation.world import NOW
from wephone.core import call as client
from wephone.core import effects as out
from wephone.core import inputs
from wephone.core.session import Link, Session, Step
from wephone.protocol import messages
from wephone.protocol.codec import decode_client, decode_server, encode
from wephone.protocol.ids import CallId, SessionId, UserId
from wephone.protocol.messages import Hello, Invite, ServerMessage
from wephone.protocol.reasons import ErrorCode

Move = Callable[[], None]


@dataclass(slots=True)
class Net:
    """The server, the phones and all that lies between."""

    phones: tuple[Phone, ...]
    places: list[tuple[CallId, Party, UserId]]
    calls: dict[CallId, Call] = field(default_factory=dict)
    forgotten: set[CallId] = field(default_factory=set)
    lines: dict[Party, tuple[SessionId, Replay]] = field(default_factory=dict)
    asked: list[CallId] = field(default_factory=list)
    recording: list[CallId] = field(default_factory=list)
    answered_by: dict[CallId, Party] = field(default_factory=dict)
    selected: dict[CallId, Party] = field(default_factory=dict)
    records: Counter[CallId] = field(default_factory=Counter)
    signed_in: int = 0

    def phone(self, party: Party) -> Phone:
        """The phone of this party."""
        return next(phone for phone in self.phones if phone.party == party)

    # What may happen

    def step(self, number: int, reorders: bool = False, restarts: bool = False) -> None:
        """One of all that may happen next: the number picks first the kind, then the move.

        Most of the time things go on; else calls would seldom come as far as an answer.
        """
        kinds = (
            [self.frames] * 24
            + [self.slow_work] * 6
            + [self.consents] * 6
            + [self.troubles] * 2
            + [self.ends]
        )
        kinds += [self.reordered] * 4 if reorders else []
        kind = kinds[number % len(kinds)]
        moves = list(kind())
        if restarts and kind == self.ends:
            moves.append(self.restart)
        if moves:
            moves[number // len(kinds) % len(moves)]()

    def frames(self) -> Iterator[Move]:
        """The oldest frame of a line arrives; a phone without a line gets one."""
        for phone in self.phones:
            if not phone.connected:
                yield partial(self.connect, phone)
            if phone.up:
                yield partial(self.arrives, phone, phone.up)
            if phone.down:
                yield partial(self.arrives, phone, phone.down)

    def reordered(self) -> Iterator[Move]:
        """What no honest wire does: the newest frame overtakes all others."""
        for phone in self.phones:
            for line in (phone.up, phone.down):
                if len(line) > 1:
                    yield partial(self.arrives, phone, line, newest=True)

    def troubles(self) -> Iterator[Move]:
        """A frame arrives and will arrive again, lines are cut, the server waits no longer."""
        for phone in self.phones:
            if phone.connected:
                yield partial(self.cut, phone)
            else:
                yield partial(self.give_up, phone)
            if phone.up:
                yield partial(self.said, phone, phone.up[0])
            if phone.down:
                yield partial(self.heard, phone, phone.down[0])

    def consents(self) -> Iterator[Move]:
        """What people do who want to talk: call, answer, hold and resume."""
        for planned in self.places:
            yield partial(self.place, *planned)
        for phone in self.phones:
            for call in phone.session.calls:
                if call.phase is client.Phase.RINGING:
                    yield partial(self.wish, phone, call.id, inputs.Accept(NONCE))
                if call.phase is client.Phase.ACTIVE:
                    hold = inputs.Change(AUDIO, not call.change.held_here)
                    yield partial(self.wish, phone, call.id, hold)

    def ends(self) -> Iterator[Move]:
        """What may end a call: people and clocks."""
        for phone in self.phones:
            for call in phone.session.calls:
                yield partial(self.wish, phone, call.id, inputs.HangUp())
            if not phone.connected:
                yield from (partial(self.run_out, phone, *timer) for timer in sorted(phone.timers))
        for running in self.calls.values():
            yield from (partial(self.receive, running.id, events.TimedOut(timer)) for timer in running.timers)

    def slow_work(self) -> Iterator[Move]:
        """Gate and store answer."""
        yield from (partial(self.answers, self.asked, id, events.Allowed()) for id in self.asked)
        yield from (
            partial(self.answers, self.recording, id, events.AnswerRecorded()) for id in self.recording
        )

    def answers(self, waiting: list[CallId], id: CallId, word: events.Event) -> None:
        """One of the two is done with this call."""
        waiting.remove(id)
        self.receive(id, word)

    def arrives(self, phone: Phone, line: deque[bytes], newest: bool = False) -> None:
        """A frame comes to the end of its line."""
        frame = line.pop() if newest else line.popleft()
        if line is phone.up:
            self.said(phone, frame)
        else:
            self.heard(phone, frame)

    def wish(self, phone: Phone, id: CallId, wish: inputs.CallInput) -> None:
        """A person says something of a call."""
        self.carry_out(phone, phone.session.tell_call(id, wish, 0))

    # People and wires

    def place(self, id: CallId, by: Party, to: UserId) -> None:
        """Somebody calls."""
        self.places.remove((id, by, to))
        phone = self.phone(by)
        phone.knows.add(id)
        self.carry_out(phone, phone.session.place(id, to, AUDIO, NONCE))

    def cut(self, phone: Phone) -> None:
        """The connection goes, and all that was on it."""
        phone.connected = False
        phone.up.clear()
        phone.down.clear()
        self.carry_out(phone, phone.session.closed(0.0))

    def run_out(self, phone: Phone, id: CallId, timer: inputs.Timer) -> None:
        """A clock of the phone."""
        phone.timers.discard((id, timer))
        phone.alone.add(id)
        self.carry_out(phone, phone.session.tell_call(id, inputs.TimedOut(timer), 0))

    def give_up(self, phone: Phone) -> None:
        """The server waits for it no longer."""
        if self.lines.pop(phone.party, None) is not None:
            for call in list(self.calls.values()):
                if call.role(phone.party) is not None:
                    self.receive(call.id, events.DeviceLost(phone.party))

    def restart(self) -> None:
        """The server dies and comes back: it has the rows of answered calls."""
        for phone in self.phones:
            if phone.connected:
                self.cut(phone)
            phone.alone.update(self.calls)
            phone.alone.update(call.id for call in phone.session.calls)
        kept = {}
        for call in self.calls.values():
            if call.phase is Phase.ACTIVE and call.winner is not None:
                kept[call.id] = restored(call.id, call.caller, call.winner, call.media, NOW)
            else:
                self.forgotten.add(call.id)
        self.calls = dict(kept)
        self.lines.clear()
        self.asked.clear()
        self.recording.clear()

    def connect(self, phone: Phone) -> None:
        """A new connection, with the old session if the server has it and all that was missed."""
        phone.connected = True
        step = phone.session.opened("t" * 16)
        phone.session = step[0]
        hello = next(e.message for e in step[1] if isinstance(e, out.Send))
        assert isinstance(hello, Hello)
        name, replay = self.lines.get(phone.party, (None, Replay()))
        missed = replay.after(hello.resume.n) if hello.resume and hello.resume.session == name else None
        if missed is not None and name is not None:
            self.answer(phone.party, welcome(phone, name, resumed=True))
            phone.down.extend(missed)
            return
        self.signed_in += 1
        fresh = SessionId(f"session-{self.signed_in}")
        self.lines[phone.party] = fresh, Replay()
        self.answer(phone.party, welcome(phone, fresh, resumed=False))
        here = [call for call in self.calls.values() if call.phase is not Phase.ENDED]
        shown = [call.snapshot(phone.party, NOW) for call in here if call.id in hello.calls]
        self.send(phone.party, messages.Resync(calls=tuple(each for each in shown if each is not None)))
        for call in here:
            self.rejoin(call, phone.party, call.id in hello.calls)

    def rejoin(self, call: Call, by: Party, alive: bool) -> None:
        """A device is back without its session: the call hears of it, if it concerns the call."""
        if by.user not in (call.caller.user, call.callee):
            return
        if alive:
            self.receive(call.id, events.Returned(by))
        elif call.is_between(by):
            self.receive(call.id, events.DeviceLost(by))
        elif call.callee == by.user:
            self.receive(call.id, events.DeviceArrived(by))

    # The server

    def said(self, phone: Phone, frame: bytes) -> None:
        """A frame reaches the server."""
        message = decode_client(frame)
        match message:
            case messages.Ack(n=n):
                self.lines[phone.party][1].acknowledge(n)
            case Invite():
                self.invited(phone.party, message)
            case _ if call_of(message) not in self.calls:
                error = messages.Error(code=ErrorCode.UNKNOWN_CALL, text="", call=call_of(message))
                self.answer(phone.party, error)
            case _:
                self.receive(call_of(message), event_of(message, phone.party))

    def invited(self, by: Party, message: Invite) -> None:
        """A call is placed, once; right then glare is looked for."""
        if message.call in self.calls:
            self.receive(message.call, events.Returned(by))
            return
        if message.call in self.forgotten:
            self.answer(by, messages.Error(code=ErrorCode.ID_TAKEN, text="", call=message.call))
            return
        callee = UserId(message.to)
        online = [party.device for party in self.lines if party.user == callee]
        call, todo = place(
            message.call, by, callee, message.sdp, message.commitment, message.media, online, NOW
        )
        rivals = sorted(self.calls.values(), key=lambda rival: rival.id)
        verdict = next(filter(None, (glare(rival, call) for rival in rivals)), None)
        self.calls[call.id] = call
        self.obey(call.id, todo)
        if verdict is not None:
            survivor, loser, todo = resolved(verdict, NOW)
            self.calls[survivor.id], self.calls[loser.id] = survivor, loser
            self.obey(survivor.id, [e for e in todo if not isinstance(e, effects.RecordEnd)])
            self.records[loser.id] += 1

    def receive(self, id: CallId, event: events.Event) -> None:
        """The machine, and its effects."""
        before = self.calls[id]
        self.calls[id], todo = before.receive(event, NOW)
        if any(isinstance(effect, effects.Complain) for effect in todo) and self.calls[id] != before:
            raise Broken("a call has changed though its sender is told off")
        self.obey(id, todo)

    def obey(self, id: CallId, todo: tuple[effects.Effect, ...] | list[effects.Effect]) -> None:
        """Effects, in order."""
        for effect in todo:
            match effect:
                case effects.Send(to, message):
                    self.send(to, message)
                case effects.Complain(to, code):
                    self.answer(to, messages.Error(code=code, text="", call=id))
                case effects.AskGate():
                    self.asked.append(id)
                case effects.RecordAnswer(_, by, _):
                    if self.answered_by.setdefault(id, by) != by:
                        raise Broken("two devices answered one call")
                    self.recording.append(id)
                case effects.RecordEnd():
                    self.records[id] += 1
                case _:
                    pass

    def send(self, to: Party, message: ServerMessage) -> None:
        """An event: numbered, kept until acknowledged."""
        if to in self.lines:
            frame = self.lines[to][1].number(encode(message))
            if self.phone(to).connected:
                self.phone(to).down.append(frame)

    def answer(self, to: Party, message: ServerMessage) -> None:
        """Outside the count: lost with the connection."""
        if self.phone(to).connected:
            self.phone(to).down.append(encode(message))

    # The phones

    def heard(self, phone: Phone, frame: bytes) -> None:
        """A frame reaches a phone."""
        message = decode_server(frame)
        assert message is not None
        self.carry_out(phone, phone.session.received(message, 0))

    def carry_out(self, phone: Phone, step: Step) -> None:
        """What the session wants done; media and ringer answer at once."""
        phone.session, todo = step
        queue = deque(todo)
        while queue:
            effect = queue.popleft()
            match effect:
                case out.Send(message) if phone.connected:
                    phone.up.append(encode(message))
                case out.Drop():
                    self.cut(phone)
                case out.StartTimer(call, timer, _):
                    phone.timers.add((call, timer))
                case out.StopTimer(call, timer):
                    phone.timers.discard((call, timer))
                case out.StartMedia(call):
                    self.opened(phone, call)
                case out.Tell(event):
                    phone.told(event)
                case _:
                    pass
            for call, said in answers(effect, trickles=True):
                phone.session, more = phone.session.tell_call(call, said, 0)
                queue.extend(more)

    def opened(self, phone: Phone, id: CallId) -> None:
        """A microphone opens: only when the answer counts, and on one device of the callee."""
        call = self.calls.get(id)
        if call is not None and call.phase not in (Phase.ACTIVE, Phase.ENDED):
            raise Broken("a microphone opens before the answer counts")
        if call is None or phone.party.user != call.callee:
            return
        if self.selected.setdefault(id, phone.party) != phone.party:
            raise Broken("two devices talk as the one who answered")

    # The end

    def settle(self) -> None:
        """Everybody comes back, everything arrives, every clock runs out: then all must be over."""
        for _ in range(60):
            self.arrive()
            if not any(phone.session.calls for phone in self.phones) and not self.running():
                return
            for call in self.running():
                self.end_it(call)
            self.arrive()
            for phone in self.phones:
                for id, timer in sorted(phone.timers):
                    if id not in self.calls or self.calls[id].phase is Phase.ENDED:
                        self.run_out(phone, id, timer)
        raise Broken("some call never ends")

    def end_it(self, call: Call) -> None:
        """By its clock, or by a person: there is always one of the two."""
        if call.timers and call.phase is not Phase.ACTIVE:
            self.receive(call.id, events.TimedOut(call.timers[0]))
            return
        for phone in self.phones:
            if phone.session.call(call.id) is not None:
                self.wish(phone, call.id, inputs.HangUp())

    def arrive(self) -> None:
        """All that is on its way, in order, until nothing moves."""
        while True:
            for phone in self.phones:
                if not phone.connected:
                    self.connect(phone)
            work = list(self.slow_work())
            busy = [phone for phone in self.phones if phone.up or phone.down]
            if not work and not busy:
                return
            for move in work:
                move()
            for phone in busy:
                while phone.down and phone.connected:
                    self.heard(phone, phone.down.popleft())
                while phone.up and phone.connected:
                    self.said(phone, phone.up.popleft())

    def running(self) -> list[Call]:
        """The server's calls that have not ended."""
        return [call for call in self.calls.values() if call.phase is not Phase.ENDED]


def net(parties: tuple[Party, ...], places: tuple[tuple[CallId, Party, UserId], ...]) -> Net:
    """All of them signed in."""
    phones = tuple(Phone(party, Session(party.device)) for party in parties)
    made = Net(phones, list(places))
    made.arrive()
    assert all(phone.session.link is Link.UP for phone in phones)
    return made
