"""Where somebody's calls go on to that do not reach them. Conventions: RFC 5806, 3GPP TS 24.604."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

AFTER = 20  # seconds


class When(StrEnum):
    """On what a call goes on to somebody else."""

    ALWAYS = "always"
    BUSY = "busy"
    NO_ANSWER = "no_answer"  # also of one of whom no device can be reached


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What a user has set: for each case a user's name or a canonical number, or none."""

    always: str | None = None
    busy: str | None = None
    no_answer: str | None = None
    after: int = AFTER  # seconds that the user's own devices ring before `no_answer`

    def to(self, when: When) -> str | None:
        """Whom a call is to go on to."""
        match when:
            case When.ALWAYS:
                return self.always
            case When.BUSY:
                return self.busy
            case When.NO_ANSWER:
                return self.no_answer


NOWHERE = Forwarding()


def forwarding_from_text(text: str | None) -> Forwarding:
    """What `forwarding_to_text` wrote; none is of an account that never set any."""
    return NOWHERE if text is None else Forwarding(**json.loads(text))


def forwarding_to_text(rules: Forwarding) -> str:
    """The rules as a row has them."""
    return json.dumps(asdict(rules), sort_keys=True, separators=(",", ":"))
