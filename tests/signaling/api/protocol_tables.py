"""The tables of docs/protocol.md that are made from the code."""

from signaling.api.rest import CALLERS
from signaling.api.routes import Rule
from wephone.protocol.reasons import END_TEXTS, ERROR_TEXTS

WHO = {
    Rule.ANYONE: "anybody",
    Rule.SIGNED_IN_ONCE: "a session, also before the password is changed",
    Rule.SIGNED_IN: "a session",
    Rule.OPERATOR: "an operator",
}


def errors() -> str:
    """Codes of `error`."""
    rows = [f"| `{code}` | {english} |" for code, (english, _) in ERROR_TEXTS.items()]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def ends() -> str:
    """Reasons of `ended`."""
    rows = [f"| `{reason}` | {english} |" for reason, (english, _) in END_TEXTS.items()]
    return "\n".join(["| reason | meaning |", "|---|---|", *rows])


def routes() -> str:
    """The callers' routes."""
    rows = [
        f"| `{route.method} {route.canonical}` | {route.summary} | {WHO[route.rule]} |" for route in CALLERS
    ]
    return "\n".join(["| route | what it does | for |", "|---|---|---|", *rows])


TABLES = {"ERROR_TABLE": errors, "END_TABLE": ends, "ROUTE_TABLE": routes}
