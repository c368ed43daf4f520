"""The page about calls shows the table as it is."""

from signaling.core.table import TRANSITIONS, Phase
from tests.signaling.core.diagram import COMMAND, PAGE, diagram, parts
from wephone.core.call import Phase as ClientPhase


def test_the_diagram_is_the_table() -> None:
    _, drawn, _ = parts()
    assert drawn == diagram(), f"docs/calls.md is out of date: {COMMAND}"


def test_every_event_of_every_phase_is_drawn() -> None:
    drawn = diagram()
    for phase, rows in TRANSITIONS.items():
        for event, row in rows.items():
            for goal in row.to:
                start = f"| {phase} |" if goal is phase else f"    {phase} --> {goal}:"
                line = next(line for line in drawn.splitlines() if line.startswith(start))
                assert event.__name__ in line


def test_the_page_explains_every_phase() -> None:
    before, _, after = parts()
    for phase in (*Phase, *ClientPhase):
        assert f"**{phase}**" in before + after, f"{PAGE.name} says nothing of {phase}"
