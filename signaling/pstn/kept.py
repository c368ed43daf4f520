"""A leg's SIP dialogs as a text that outlives the server: of each the BYE is made that ends what it left."""

import json
from typing import Any

from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.headers import Address, parse_address, parse_via
from signaling.pstn.sip.uri import Uri, parse_uri


def kept(dialog: Dialog, *beside: Dialog) -> str:
    """The call's dialog as JSON, with those of other phones that were answered too."""
    said = _said(dialog)
    if beside:
        said["beside"] = [_said(each) for each in beside]
    return json.dumps(said, separators=(",", ":"))


def read(text: str) -> tuple[Dialog, ...]:
    """What `kept` was given. SipError, KeyError or ValueError for anything else."""
    said: dict[str, Any] = json.loads(text)
    return _dialog(said), *map(_dialog, said.get("beside", ()))


def _said(dialog: Dialog) -> dict[str, Any]:
    return {
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
    }


def _dialog(said: dict[str, Any]) -> Dialog:
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
