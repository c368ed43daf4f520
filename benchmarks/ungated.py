"""`wephone serve` with a gate that says yes to everything, decides nothing and writes nothing down.

Only for `benchmarks.gate`, as the reference that shows what the gate costs.
"""

import sys

from licensing.case import Decision, Outcome
from licensing.classify import ServiceClass
from licensing.gate import Ask, Begun, Gate, Verdict
from licensing.identity import DecisionId
from licensing.reasons import Reason, reason_text
from licensing.snapshot import Ground
from wephone.cli.main import main

NOTHING = DecisionId("D-" + "0" * 26)
REASON = Reason.OK_NO_PERMIT_REQUIRED
UNCHANGED = Ground(0, 2**63 - 1)
YES = Decision(Outcome.ALLOW, REASON, reason_text(REASON), ServiceClass.APP_VOICE, "baseline")


async def authorize(self: Gate, ask: Ask, begun: Begun | None = None) -> Verdict:
    """The same answer to all, at once."""
    if begun is not None:
        begun(NOTHING)
    return Verdict(NOTHING, YES, UNCHANGED)


if __name__ == "__main__":
    Gate.authorize = authorize  # type: ignore[method-assign]  # in this process alone
    sys.exit(main())
