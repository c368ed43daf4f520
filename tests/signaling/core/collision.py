"""Both calls after glare, as the switch carries it out."""

from licensing.instant import Instant
from signaling.core.call import Call
from signaling.core.effects import Effect
from signaling.core.events import Glared, LostGlare
from signaling.core.glare import Glare


def resolved(verdict: Glare, now: Instant) -> tuple[Call, Call, tuple[Effect, ...]]:
    """Survivor and loser after the verdict, and the effects: the end that names the survivor comes first."""
    loser, ended = verdict.loser.receive(LostGlare(verdict.survivor.id), now)
    by = verdict.loser.caller
    survivor, fenced = verdict.survivor.receive(Glared(by, verdict.loser.id), now)
    return survivor, loser, (*ended, *fenced)
