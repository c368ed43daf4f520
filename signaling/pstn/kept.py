"""A SIP dialog as a text that outlives the server: of it the BYE of a call that cannot go on is made."""

import json
from typing import Any

from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.headers import Address, parse_address, parse_via
from signaling.pstn.sip.uri import Uri, parse_uri


def kept(dialog: Dialog) -> str:
    """The dialog as JSON."""
    return json.dumps(
        {
            "call_id": dialog.call_id,
            "local": str(dialog.local),
            "remote": str(dialog.remote),
            "target": str(dialog.target),
            "routes": [str(route) for route in dialog.routes],
            "via": str(dialog.via),
            "contact": str(dialog.contact),
            "seed": dialog.seed,
            "local_cseq": dialog.local_cseq,
            "remote_cseq": dialog.remote_cseq,
        },
        separators=(",", ":"),
    )


def read(text: str) -> Dialog:
    """The inverse of `kept`. SipError, KeyError or ValueError for anything else."""
    said: dict[str, Any] = json.loads(text)
    target = parse_uri(said["target"])
    if not isinstance(target, Uri):
        raise ValueError(f"a dialog with {target}")
    routes: tuple[Address, ...] = tuple(map(parse_address, said["routes"]))
    return Dialog(
        said["call_id"],
        parse_address(said["local"]),
        parse_address(said["remote"]),
        target,
        routes,
        parse_via(said["via"]),
        parse_address(said["contact"]),
        said["seed"],
        # Requests of the server that died may have gone on counting: a BYE with a number too low gets 500.
        said["local_cseq"] + SPARE,
        said["remote_cseq"],
    )


SPARE = 1000  # session refreshes, holds and their authentication
