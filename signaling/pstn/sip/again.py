"""A request that is said once more: when, and as what (RFC 3261 §8.1.3.5, §20.33)."""

from signaling.pstn.sip.headers import numbered
from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.values import replace


def renumbered(request: Request, number: int, branch: str) -> Request:
    """The same request as a new one: another CSeq, another branch."""
    return replace(
        request,
        vias=(request.via.branched(branch), *request.vias[1:]),
        cseq=numbered(number, request.method),
    )


def retry_after(response: Response) -> int | None:
    """The seconds for which its sender asks to be left alone; none if it says nothing that can be read."""
    said = (response.get("Retry-After") or "").partition(";")[0].partition("(")[0].strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) < 8 else None
