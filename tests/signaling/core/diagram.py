"""The picture of a call in docs/calls.md, drawn from the table: `python -m tests.signaling.core.diagram`."""

from pathlib import Path

from signaling.core.table import TRANSITIONS, Phase

PAGE = Path(__file__).parents[3] / "docs" / "calls.md"
BEGIN, END = "<!-- the table, drawn: do not edit -->", "<!-- end of the table -->"
COMMAND = "python -m tests.signaling.core.diagram"


def diagram() -> str:
    """Every move from one phase to another, in Mermaid's words; events that stay are listed below it."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {Phase.ROUTING}: invite"]
    for phase, rows in TRANSITIONS.items():
        for goal in Phase:
            moving = [event.__name__ for event, row in rows.items() if goal in row.to and goal is not phase]
            if moving:
                lines.append(f"    {phase} --> {goal}: {', '.join(moving)}")
    lines += [f"    {Phase.ENDED} --> [*]", "```", ""]
    lines += ["| in phase | these change no phase, or may not |", "| --- | --- |"]
    for phase, rows in TRANSITIONS.items():
        staying = [event.__name__ for event, row in rows.items() if phase in row.to]
        lines.append(f"| {phase} | {', '.join(staying)} |")
    return "\n".join(lines)


def parts() -> tuple[str, str, str]:
    """The page before the drawing, the drawing, the page after it."""
    before, rest = PAGE.read_text().split(BEGIN)
    drawn, after = rest.split(END)
    return before, drawn.strip(), after


def redraw() -> None:
    """Put the drawing of today's table into the page."""
    before, _, after = parts()
    PAGE.write_text(f"{before}{BEGIN}\n\n{diagram()}\n\n{END}{after}")


if __name__ == "__main__":
    redraw()
