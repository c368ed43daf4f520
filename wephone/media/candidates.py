"""ICE candidates between the wire's words (`protocol.messages`) and aioice's."""

import logging
import re

import aioice

from wephone.protocol.messages import Candidate

CANDIDATE = re.compile(r"a=candidate:\S")  # a line of a description that gives one (RFC 8839 §5.1)

log = logging.getLogger(__name__)


def usable(said: Candidate, mid: str | None, ufrag: str | None) -> aioice.Candidate | None:
    """The far end's candidate, if it makes sense and is meant for this section and this ICE session."""
    if said.sdp_mid not in (None, mid) or not said.candidate:
        return None
    if said.username_fragment not in (None, ufrag):
        return None
    try:
        return aioice.Candidate.from_sdp(said.candidate.removeprefix("candidate:"))
    except (ValueError, IndexError, AssertionError):
        log.info("the far end sent what is no candidate")
        return None


def told(candidate: aioice.Candidate, mid: str | None, ufrag: str) -> Candidate:
    """One of ours, as it is told to the far end."""
    return Candidate(
        candidate=f"candidate:{candidate.to_sdp()}", sdp_mid=mid, sdp_mline_index=0, username_fragment=ufrag
    )
