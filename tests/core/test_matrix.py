"""Every input of a call on a device, in every phase, in both roles: the result is the one written down.

`matrix.txt` holds the results; `python -m tests.core.test_matrix` prints what they are now, to be read
before it is believed. In a cell: the new phase, `=` for the same call or `kept` for the same phase with
something remembered; what the call ends with; and the effects, messages by their type.
"""

import sys
from pathlib import Path
from typing import get_args

import pytest

from tests.core.people import INPUTS, PLACES, call_in
from wephone.core import effects as out
from wephone.core import events
from wephone.core.call import TRANSITIONS, Phase
from wephone.core.inputs import CallInput
from wephone.core.session import CALL_MESSAGES
from wephone.protocol import messages
from wephone.protocol.messages import Role

GOLDEN = Path(__file__).with_name("matrix.txt")


def cell(role: Role, where: str, name: str) -> str:
    """One result, in few words."""
    before = call_in(role, where)
    after, effects = before.receive(INPUTS[name], 0)
    same = "=" if after == before else "kept"
    result = same if after.phase is before.phase else after.phase.value
    return " ".join([result, *filter(None, map(word, effects))])


def word(effect: out.CallEffect) -> str:
    """An effect; clocks are left out, the search looks after them."""
    match effect:
        case out.Send(message):
            kind = message.type  # type: ignore[attr-defined]  # every message has one
            return f">{kind}"
        case out.Tell(events.Ended(_, reason)):
            return f"Ended({reason})"
        case out.Tell(event):
            return type(event).__name__
        case out.StartTimer() | out.StopTimer():
            return ""
        case _:
            return type(effect).__name__


def matrix() -> str:
    """The whole of it: a block for each input, a line for each role and phase."""
    blocks = []
    for name in INPUTS:
        lines = [f"    {role} {where:<17} {cell(role, where, name)}" for role, where in PLACES]
        blocks.append("\n".join([name, *lines]))
    return "\n".join(blocks) + "\n"


def test_every_result_is_the_one_that_is_written_down() -> None:
    assert matrix().splitlines() == GOLDEN.read_text().splitlines()


def test_every_input_is_in_the_matrix_and_every_phase() -> None:
    kinds = {*get_args(CallInput), *CALL_MESSAGES, messages.Incoming, messages.Ended, messages.Error}
    assert {type(event) for event in INPUTS.values()} == kinds
    assert {phase for phase, _ in PLACES.values()} == set(Phase)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize(("role", "where"), PLACES)
def test_an_input_without_a_row_changes_nothing(role: Role, where: str, name: str) -> None:
    before = call_in(role, where)
    after, effects = before.receive(INPUTS[name], 0)
    if type(INPUTS[name]) not in TRANSITIONS[before.phase]:
        assert (after, effects) == (before, ())


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize(("role", "where"), PLACES)
def test_the_microphone_opens_when_the_answer_counts_and_never_before(
    role: Role, where: str, name: str
) -> None:
    _, effects = call_in(role, where).receive(INPUTS[name], 0)
    if any(isinstance(effect, out.StartMedia) for effect in effects):
        reached = where.removesuffix(", winding").removesuffix(", hearing")
        assert (reached, name) in {("calling", "answered"), ("answered", "select_answer")}


@pytest.mark.parametrize(("phase", "kind"), [(phase, kind) for phase in Phase for kind in TRANSITIONS[phase]])
def test_without_any_one_row_the_matrix_is_another(
    phase: Phase, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [name for name, event in INPUTS.items() if type(event) is kind]
    places = [place for place, (reached, _) in PLACES.items() if reached is phase]
    before = [cell(*place, name) for place in places for name in names]
    monkeypatch.delitem(TRANSITIONS[phase], kind)
    assert [without(*place, name) for place in places for name in names] != before


def without(role: Role, where: str, name: str) -> str:
    """The cell, though the way there may be barred now."""
    try:
        return cell(role, where, name)
    except AssertionError:
        return "out of reach"


if __name__ == "__main__":
    sys.stdout.write(matrix())
