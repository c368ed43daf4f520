"""A telephone call that was refused, told aloud: a recording for the app that asked, and no telephone.

It stands in the telephone's place as a party of the call and never becomes one: it has no grant, no line and
no lease, and the leg of its sound is one that can have no trunk.
"""

import logging
from collections.abc import Set

from licensing.instant import MILLISECOND, SECOND
from signaling.core import events
from signaling.core.party import Party
from signaling.media import CandidatesFound, Capability, Connected, Language, MediaError, Played, Sound
from signaling.media import Ended as SoundEnded
from signaling.media import Event as SoundEvent
from signaling.ports.clock import Cancel
from signaling.pstn.phone import Desk
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Candidates, Ended, ServerMessage

FOUND = 5 * SECOND  # for the app to be found: who cannot hear it is not kept waiting for the end
MOST = 50  # at once: those after them see why, and do not hear it
TAIL = 300 * MILLISECOND  # what was sent last is still on its way, or waits to be played
# Features by which a client says in which language it wants to be told.
LANGUAGES: dict[str, Language] = {"speak-en": "en", "speak-zh-CN": "zh-CN"}

log = logging.getLogger(__name__)


class Telling:
    """See `signaling.ports.telephones.Teller`."""

    def __init__(self, desk: Desk, call: CallId, party: Party, language: Language) -> None:
        self._desk, self._call, self._party = desk, call, party
        self._language = language
        self._leg = f"{call}:refusal"
        self._heard: list[Candidates] = []  # what the app found before there was a leg
        self._is_open = self._over = False
        self._patience: Cancel | None = None

    def announce(self, offer: str) -> None:
        """See `signaling.ports.telephones.Teller`."""
        self._desk.tellers[self._leg] = self
        self._desk.errands.start(self._tell(offer))

    def hear(self, message: ServerMessage) -> None:
        """What the call's machine sends to this party."""
        match message:
            case Candidates() if self._is_open:
                self._desk.sound.candidates(self._leg, message.candidates, message.end)
            case Candidates():
                self._heard.append(message)
            case Ended():
                self.drop()
            case _:
                pass

    def sounded(self, event: SoundEvent) -> None:
        """What became of its sound."""
        match event:
            case CandidatesFound():
                self._say(events.CandidatesFound(self._party, event.candidates, event.end))
            case Connected():
                self._wait_no_more()
            case Played():
                self._stop_in(TAIL)
            case SoundEnded():
                log.warning("a refusal was not told to its end: %s", event.text)
                self.stop()
            case _:
                pass

    def stop(self) -> None:
        """It has been told, or cannot be: the call ends."""
        self._say(events.HungUp(self._party))
        self.drop()

    def drop(self) -> None:
        """The call is over."""
        if self._over:
            return
        self._over = True
        self._wait_no_more()
        self._desk.tellers.pop(self._leg, None)
        if self._is_open:
            self._desk.errands.start(self._close())

    async def _tell(self, offer: str) -> None:
        sound = self._desk.sound
        try:
            answer = await sound.open_announcement(self._leg, offer)
            self._is_open = True
            if self._over:  # while it was opened
                await sound.close(self._leg)
                return
            for found in self._heard:
                sound.candidates(self._leg, found.candidates, found.end)
            self._stop_in(FOUND)
            self._say(events.EarlySound(self._party, answer))
            await sound.play(self._leg, "app", Sound.REFUSED, self._language)
        except MediaError as error:
            log.warning("a refusal cannot be told aloud: %s", error)
            self.stop()

    async def _close(self) -> None:
        try:
            await self._desk.sound.close(self._leg)
        except MediaError as error:
            log.warning("the sound of a refusal could not be closed: %s", error)

    def _say(self, event: events.Event) -> None:
        if not self._over:
            self._desk.say(self._call, event)

    def _stop_in(self, ns: int) -> None:
        self._wait_no_more()
        self._patience = self._desk.clock.call_at(self._desk.clock.now().after(ns), self.stop)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience()
            self._patience = None


def can_tell(desk: Desk) -> bool:
    """Does what carries the sound here say anything of its own, and is there room for one more?"""
    return Capability.ANNOUNCE in desk.sound.capabilities and len(desk.tellers) < MOST


def language_of(features: Set[str], usual: Language) -> Language:
    """In which a client is told, by what it says of itself."""
    return next((LANGUAGES[each] for each in LANGUAGES if each in features), usual)
