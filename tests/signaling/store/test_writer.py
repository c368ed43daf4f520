"""The writer process: what piled up is one commit, one command that fails fails alone, and it is small."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from signaling.store.frames import DONE, FAILED, TAKEN, UNWRITTEN, Unpacker, packed
from signaling.store.writer import MOST_TOGETHER, Reply, Request, Writer, serve


class Counting(Writer):
    """Notes how many commands each commit held."""

    commits: list[int]

    def commit(self, requests: Sequence[Request]) -> list[Reply]:
        self.commits.append(len(requests))
        return super().commit(requests)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Counting]:
    with closing(Counting(tmp_path / "wephone.db", os.getpid())) as opened:
        opened.commits = []
        yield opened


def answers(writer: Writer, requests: Sequence[Request]) -> list[Reply]:
    """What the writer says to requests that lay there when it looked."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"".join(packed(request) for request in requests))
        ours.shutdown(socket.SHUT_WR)
        serve(theirs, writer)
        theirs.close()
        unpacker, replies = Unpacker(), []
        while data := ours.recv(1 << 16):
            for together in unpacker.feed(data):
                replies += together
        return replies


def test_what_piled_up_is_one_commit(writer: Counting) -> None:
    replies = answers(writer, [(n, "ready", ()) for n in range(1, 501)])
    assert replies == [(n, DONE, None) for n in range(1, 501)]
    assert writer.commits == [500]


def test_a_commit_has_an_end(writer: Counting) -> None:
    answers(writer, [(n, "ready", ()) for n in range(1, MOST_TOGETHER + 101)])
    assert writer.commits == [MOST_TOGETHER, 100]


def test_a_command_that_fails_fails_alone(writer: Counting) -> None:
    account = ("alice", "", False, False, 1, False, False)
    replies = answers(
        writer,
        [
            (1, "add_account", account),
            (2, "add_account", account),
            (3, "delete_account", ("bob", 2)),
            (4, "no_such_command", ()),
            (5, "append", ("local", [("decision", "D-1", 1, "{}", [])])),
            (6, "append", ("local", [("decision", "D-2", 1, None, [])])),
            (7, "append", ("local", [("decision", "D-3", 1, "{}", [])])),
        ],
    )
    assert [(number, kind) for number, kind, _ in replies] == [
        (1, DONE), (2, TAKEN), (3, FAILED), (4, FAILED), (5, DONE), (6, FAILED), (7, DONE),
    ]  # fmt: skip
    assert [answer for _, _, answer in replies][4::2] == [[1], [2]]  # no number was lost on the failure
    assert writer.commits == [7]


def test_a_commit_that_fails_is_told_to_all_and_another_connection_follows(
    writer: Counting, tmp_path: Path
) -> None:
    writer._disconnect()  # as after a disk error
    (tmp_path / "wephone.db").rename(tmp_path / "elsewhere")
    sentence = f"cannot write the database {tmp_path}/wephone.db: unable to open database file"
    assert writer.commit([(1, "ready", ()), (2, "ready", ())]) == [
        (1, UNWRITTEN, sentence),
        (2, UNWRITTEN, sentence),
    ]
    assert not (tmp_path / "wephone.db").exists()  # an empty one in its place would hide the loss
    (tmp_path / "elsewhere").rename(tmp_path / "wephone.db")
    assert writer.commit([(3, "ready", ())]) == [(3, DONE, None)]


def test_a_stream_may_be_cut_anywhere() -> None:
    values = [(1, "offer", ("a", b"\0", 7, None, ["x"])), (2, "ready", ())]
    stream = b"".join(map(packed, values))
    unpacker = Unpacker()
    assert [value for byte in stream for value in unpacker.feed(bytes([byte]))] == values


def test_only_plain_values_cross() -> None:
    with pytest.raises(ValueError):
        packed((1, "offer", (Path("x"),)))


def test_the_process_imports_only_what_it_needs() -> None:
    program = "import json, sys, signaling.store.writer; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in json.loads(out)}
    needless = {"aiohttp", "aioice", "aiortc", "alembic", "argon2", "asyncpg", "av", "numpy", "phonenumbers"}
    assert not loaded & (needless | {"pydantic", "prometheus_client", "uvloop", "wephone"})
