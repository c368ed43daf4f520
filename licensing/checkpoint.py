"""Signed checkpoints: how far every chain reaches at one moment, in a form that can be kept anywhere.

A chain alone cannot show that its end was cut off, or that all of it was written anew. A checkpoint joins the
heads of all nodes with the epoch of the register, and is signed with a key that the database does not have.
Each names the one before it by its hash, and a key names the next one before that signs anything.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from licensing.audit import GENESIS, Head, canonical
from licensing.signing import KeyFormatError, PrivateKey, PublicKey, decoded, read_public_key

FORMAT = "wephone.checkpoint/1"
FIELDS = {"acknowledges", "at", "epoch", "format", "heads", "key", "next_key", "node", "number", "prev"}


class CheckpointError(Exception):
    """It is no checkpoint, or not what was signed; one sentence."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The register's epoch, and the newest entry of each node, at one moment."""

    epoch: int
    heads: tuple[Head, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint, whose signature has been checked. `at`: UTC microseconds."""

    number: int  # from 1; higher than any before it, also than those that a restored backup lacks
    at: int
    node: str  # whose key has signed it
    reach: Reach
    key: PublicKey
    next_key: PublicKey | None  # by which this node signs from now on
    prev: str  # hash of the checkpoint before it in the database
    acknowledges: str | None  # hash of a checkpoint that reached further, or whose key is lost
    document: str  # canonical JSON: what was signed, to the byte
    signature: bytes

    @property
    def hash(self) -> str:
        """By which others refer to it."""
        return sha256(self.document.encode()).hexdigest()

    def as_file(self) -> str:
        """As it is kept elsewhere: one line of JSON."""
        signature = base64.b64encode(self.signature).decode()
        return json.dumps({"document": self.document, "signature": signature}) + "\n"


def sign(
    reach: Reach,
    key: PrivateKey,
    *,
    number: int,
    at: int,
    node: str,
    prev: str | None,
    next_key: PublicKey | None = None,
    acknowledges: str | None = None,
) -> Checkpoint:
    """A new checkpoint. `prev`: hash of the one before it, if there is one."""
    document = canonical(
        {
            "format": FORMAT,
            "number": number,
            "at": at,
            "node": node,
            "epoch": reach.epoch,
            "heads": [
                {"node": head.node, "seq": head.seq, "at": head.at, "hash": head.hash} for head in reach.heads
            ],
            "key": str(key.public),
            "next_key": None if next_key is None else str(next_key),
            "prev": prev or GENESIS,
            "acknowledges": acknowledges,
        }
    )
    return read(document, key.sign(document.encode()))


def read(document: str, signature: bytes) -> Checkpoint:
    """The checkpoint that the document says, signed with the key that it names. CheckpointError."""
    try:
        fields = json.loads(document)
        if set(fields) != FIELDS or fields["format"] != FORMAT or canonical(fields) != document:
            raise CheckpointError(f"is no canonical document of {FORMAT}")
        key = read_public_key(fields["key"])
        found = Checkpoint(
            number=_whole(fields["number"]),
            at=_whole(fields["at"]),
            node=str(fields["node"]),
            reach=Reach(_whole(fields["epoch"]), tuple(map(_head, fields["heads"]))),
            key=key,
            next_key=None if fields["next_key"] is None else read_public_key(fields["next_key"]),
            prev=str(fields["prev"]),
            acknowledges=fields["acknowledges"],
            document=document,
            signature=signature,
        )
    except (KeyError, TypeError, ValueError, AttributeError, KeyFormatError) as error:
        raise CheckpointError(f"is no checkpoint: {error}") from None
    if not key.has_signed(document.encode(), signature):
        raise CheckpointError(f"checkpoint {found.number} was altered: its signature is not by {key.id}")
    return found


def read_file(text: str | bytes) -> Checkpoint:
    """The checkpoint of a file that `as_file` made. CheckpointError."""
    try:
        fields = json.loads(text)
        signature = decoded(fields["signature"])
        document = fields["document"]
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"is no checkpoint: {error}") from None
    if signature is None or not isinstance(document, str):
        raise CheckpointError("is no checkpoint: its signature is no Base64")
    return read(document, signature)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no whole number")
    return value


def _head(fields: Mapping[str, Any]) -> Head:
    if set(fields) != {"node", "seq", "at", "hash"} or len(bytes.fromhex(fields["hash"])) != 32:
        raise ValueError("heads: is no list of heads")
    return Head(str(fields["node"]), _whole(fields["seq"]), _whole(fields["at"]), str(fields["hash"]))


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad checkpoint, and what is wrong with it."""

    number: int
    fault: str


def verify_line(
    checkpoints: Iterable[Checkpoint],
    own: tuple[str, PublicKey] | None = None,
    newest: Checkpoint | None = None,
) -> Fault | None:
    """Is the line of checkpoints in a database whole, in the order of their numbers? Its first fault.

    `own`: this node and its key, by which its last one has to be signed. `newest` was kept elsewhere. Those
    of other nodes are bound to one key from their first on, unless that names the next, or is lost
    and a checkpoint says so.
    """
    prev, number, keys, last = GENESIS, 0, dict[str, PublicKey](), {}
    for each in checkpoints:
        if each.prev != prev:
            return Fault(each.number, "does not follow from the checkpoint before it: one is missing or new")
        if each.number <= number:
            return Fault(each.number, "has no higher number than the checkpoint before it")
        if keys.setdefault(each.node, each.key) != each.key and each.acknowledges is None:
            return Fault(each.number, f"is signed by {each.key.id}, to which no earlier key of its node led")
        keys[each.node] = each.next_key or each.key
        prev, number, last[each.node] = each.hash, each.number, each
    if own is not None and own[0] in keys and keys[own[0]] != own[1]:
        return Fault(last[own[0]].number, f"is not signed by the key of this server, {own[1].id}")
    if newest is not None and newest.number > number:
        return Fault(newest.number, "is kept elsewhere and missing here")
    return None


def lacks(reach: Reach, kept: Checkpoint, hashes: Mapping[tuple[str, int], str]) -> str | None:
    """What a database lacks that a checkpoint kept elsewhere says there once was, in one sentence.

    `hashes`: of the database's entries at the heads of that checkpoint, by node and sequence number.
    """
    if reach.epoch < kept.reach.epoch:
        return f"the register is at epoch {reach.epoch}, and was at {kept.reach.epoch}"
    for head in kept.reach.heads:
        found = hashes.get((head.node, head.seq))
        if head.seq and found is None:
            return f"the chain of `{head.node}` ends before entry {head.seq}, which there once was"
        if head.seq and found != head.hash:
            return f"entry {head.seq} of `{head.node}` is not the one that there once was"
    return None
