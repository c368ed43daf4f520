"""Signed checkpoints: what they bind, and what is noticed about them."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.audit import GENESIS, Head, canonical, salted_hash, sealed_in
from licensing.checkpoint import Checkpoint, CheckpointError, Reach, lacks, read, read_file, sign, verify_line
from licensing.signing import PublicKey, new_key

KEY, OTHER = new_key(), new_key()
HEAD = Head("local", 5, 50, "a" * 64)


def line(count: int) -> list[Checkpoint]:
    """So many checkpoints, each after the one before."""
    found: list[Checkpoint] = []
    for number in range(1, count + 1):
        reach = Reach(number, (replace(HEAD, seq=number),))
        prev = found[-1].hash if found else None
        found.append(sign(reach, KEY, number=number, at=number, node="local", prev=prev))
    return found


def test_a_checkpoint_is_read_back_as_it_was_signed() -> None:
    made = sign(Reach(3, (HEAD,)), KEY, number=1, at=7, node="local", prev=None)
    assert read_file(made.as_file()) == made
    assert (made.key, made.prev, made.reach.heads) == (KEY.public, GENESIS, (HEAD,))


@pytest.mark.parametrize("field", ["number", "at", "epoch", "node", "prev", "acknowledges"])
def test_whatever_is_changed_in_one_is_noticed(field: str) -> None:
    made = line(1)[0]
    document = json.loads(made.document)
    document[field] = document[field] + 1 if isinstance(document[field], int) else "f" * 64
    with pytest.raises(CheckpointError, match="was altered"):
        read(canonical(document), made.signature)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"document": "{}", "signature": "AA=="}', '{"document": 1}']
)
def test_what_is_no_checkpoint_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(CheckpointError, match="is no"):
        read_file(text)


def test_a_line_of_checkpoints_is_whole_only_as_it_was_made() -> None:
    made = line(4)
    own = ("local", KEY.public)
    assert verify_line(made, own, made[-1]) is None
    for changed, number in (
        (made[1:], 2),
        ([made[0], *made[2:]], 3),
        ([made[1], made[0], *made[2:]], 2),
        ([*made[:3], made[2], made[3]], 3),
    ):
        fault = verify_line(changed, own)
        assert fault is not None and fault.number == number
    cut = verify_line(made[:3], own, made[-1])
    assert cut is not None and cut.fault == "is kept elsewhere and missing here"


def test_another_key_has_to_be_named_by_the_one_before_it() -> None:
    first, second = line(2)
    reach = Reach(9, (HEAD,))
    bare = sign(reach, OTHER, number=3, at=9, node="local", prev=second.hash)
    fault = verify_line([first, second, bare])
    assert fault is not None and "no earlier key" in fault.fault
    named = sign(reach, KEY, number=3, at=9, node="local", prev=second.hash, next_key=OTHER.public)
    after = sign(reach, OTHER, number=4, at=9, node="local", prev=named.hash)
    assert verify_line([first, second, named, after], ("local", OTHER.public)) is None
    fault = verify_line([first, second, named, after], ("local", KEY.public))
    assert fault is not None and "is not signed by the key of this server" in fault.fault


def test_each_node_has_a_key_of_its_own_in_one_line() -> None:
    first = sign(Reach(1, (HEAD,)), KEY, number=1, at=1, node="one", prev=None)
    second = sign(Reach(2, (HEAD,)), OTHER, number=2, at=2, node="two", prev=first.hash)
    assert verify_line([first, second], ("two", OTHER.public)) is None


@pytest.mark.parametrize(
    ("epoch", "hash", "words"),
    [
        (5, "a" * 64, None),
        (6, "a" * 64, None),
        (4, "a" * 64, "the register is at epoch 4, and was at 5"),
        (5, None, "the chain of `local` ends before entry 5"),
        (5, "b" * 64, "entry 5 of `local` is not the one"),
    ],
)
def test_what_a_database_lacks_is_said(epoch: int, hash: str | None, words: str | None) -> None:
    kept = sign(Reach(5, (HEAD,)), KEY, number=1, at=1, node="local", prev=None)
    found = lacks(Reach(epoch, ()), kept, {} if hash is None else {("local", 5): hash})
    assert found is None if words is None else found is not None and found.startswith(words)


TEXT = st.text(max_size=12) | st.sampled_from(['"by":"' + "a" * 64 + '"', '","by":"', "}", '"people":{'])


@given(
    st.dictionaries(st.sampled_from(["caller", "callee", "facts"]), st.integers(0, 9)),
    st.dictionaries(st.sampled_from(["by", "destination", "caller_id"]), st.integers(0, 9)),
    st.dictionaries(st.sampled_from(["why", "call", "facts"]), TEXT),
)
def test_sealed_values_are_found_without_reading_the_entry(
    people: dict[str, int], one: dict[str, int], words: dict[str, str]
) -> None:
    def sealed(number: int) -> str:
        return salted_hash(str(number), b"salt")

    body = canonical(
        {
            "people": {role: sealed(number) for role, number in people.items()},
            **{name: sealed(number) for name, number in one.items()},
            **words,
        }
    )
    assert sorted(sealed_in(body)) == sorted(map(sealed, [*people.values(), *one.values()]))


def test_a_public_key_shows_itself_as_text() -> None:
    assert isinstance(KEY.public, PublicKey) and str(KEY.public).startswith("ed25519:")
