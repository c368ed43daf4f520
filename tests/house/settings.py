"""The table of settings in docs/operating.md, from the model. Anew: python -m tests.house.settings"""

from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from signaling.settings import Settings
from tests.house.checkout import ROOT

PAGE = ROOT / "docs/operating.md"
BEGIN, END = "<!-- settings: made by python -m tests.house.settings -->\n", "<!-- settings end -->\n"


def table() -> str:
    return "\n".join(rows()) + "\n"


def rows() -> Iterator[str]:
    yield "| setting | default | what it is |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        yield f"| `{name}` | {default(field)} | {field.description} |"


def default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "`~/.local/share/wephone`"  # the one that depends on who runs it
    match field.default:
        case None | ():
            return "none"
        case bool():
            return f"`{str(field.default).lower()}`"
        case tuple() if not hasattr(field.default, "_fields"):
            return f"`{', '.join(map(str, field.default))}`"
        case float():
            return f"`{field.default:g}`"
        case _:
            return f"`{field.default}`"


def with_table(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main(page: Path = PAGE) -> None:
    page.write_text(with_table(page.read_text()))


if __name__ == "__main__":
    main()
