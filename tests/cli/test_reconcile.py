"""`wephone audit reconcile`: a carrier's list in any dress beside the server's own records."""

import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from licensing.reconcile import SECOND
from tests.cli.conftest import Commands
from tests.cli.office import Office
from wephone.cli.carrier_rows import BadRow, Reading, read, safe_rows
from wephone.cli.output import Failure

AT = 1_800_000_000  # 2027-01-15 08:00:00Z
TALKED = "6f0c2f0a-6d43-4f57-9a30-0e4d6d1f0001"
REFUSED = "6f0c2f0a-6d43-4f57-9a30-0e4d6d1f0002"
FORWARDED = "6f0c2f0a-6d43-4f57-9a30-0e4d6d1f0004"
APP = "6f0c2f0a-6d43-4f57-9a30-0e4d6d1f0003"


def row(call: str, callee: str, start: int, seconds: int, reason: str) -> str:
    """A call as the server keeps it."""
    answered = (AT + start) * SECOND if seconds else "NULL"
    return (
        "INSERT INTO call (call_id, caller, caller_device, callee, media, owner, owner_epoch, offered,"
        " offered_at, answered_at, ended_at, reason, missed, seen) VALUES"
        f" ('{call}', 'alice', 'd', '{callee}', '[\"audio\"]', 'local', 1, 1, {(AT + start) * SECOND},"
        f" {answered}, {(AT + start + seconds) * SECOND}, '{reason}', 0, 0)"
    )


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    """A data folder in which two telephone calls and one between apps were kept."""
    office = Office(commands, tmp_path)
    await office.does("audit", "verify")
    office.change(
        row(TALKED, "+86138****8000", 0, 61, "hangup"),
        row(REFUSED, "+121****0100", 600, 0, "refused"),
        row(APP, "bob", 60, 61, "hangup"),
    )
    yield office
    await office.close()


async def test_what_does_not_match_is_told_with_exit_code_1_and_written_for_a_spreadsheet(
    office: Office, tmp_path: Path
) -> None:
    file, out = tmp_path / "carrier.csv", tmp_path / "differences.csv"
    file.write_text("Call Date,Destination,Billsec\n2027-01-15 08:00:02,+86 138 0013 8000,61\n")
    done = await office.run("audit", "reconcile", str(file), "--to", "2027-01-15")
    assert (done.code, done.err) == (0, "")
    assert done.out == "1 calls of the carrier, 2 of ours: 1 are the same\n"

    with file.open("a") as opened:
        opened.write("2027-01-15 08:10:00,0012125550100,30\n2027-01-15 09:00:00,+33612345678,7\nsoon,+1,2\n")
    told = await office.run("audit", "reconcile", str(file), "--out", str(out), "--json", "--country", "CN")
    assert told.code == 1
    found = told.json
    assert not found["ok"] and (found["carrier"], found["ours"], found["matched"]) == (3, 2, 2)
    assert [(each["line"], each["call"]) for each in found["refused"]] == [(3, REFUSED)]
    assert [(each["line"], each["number"]) for each in found["carrier_alone"]] == [(4, "+336****5678")]
    assert [(each["line"], each["column"]) for each in found["bad"]] == [(5, "Call Date")]
    with out.open(encoding="utf-8-sig", newline="") as opened:
        written = list(csv.DictReader(opened))
    assert [each["kind"] for each in written] == ["refused", "carrier_alone"]
    assert written[1]["number"] == "'+336****5678"

    done = await office.run("audit", "reconcile", str(file), "--country", "CN")
    assert done.code == 1
    assert (
        "wephone: line 5, column `Call Date`: is no time as in `2026-11-25 17:00:00` (found 'soon')"
        in done.err
    )
    assert (
        "refused here, and the carrier carried it: +121****0100 at 2027-01-15 08:10:00Z, line 3" in done.err
    )


async def test_of_several_carriers_each_has_its_own_list_and_calls_that_went_on_are_in_it(
    office: Office, tmp_path: Path
) -> None:
    office.change(
        row(FORWARDED, "bob", 0, 30, "hangup"),
        f"UPDATE call SET forwarded_to = '+49301****1234', forwarded_by = 'bob', trunk = 'two'"
        f" WHERE call_id = '{FORWARDED}'",
        f"UPDATE call SET trunk = 'one' WHERE call_id = '{TALKED}'",
    )
    ones, twos = tmp_path / "one.csv", tmp_path / "two.csv"
    ones.write_text("Call Date,Destination,Billsec\n2027-01-15 08:00:00,+86 138 0013 8000,61\n")
    twos.write_text("Call Date,Destination,Billsec\n2027-01-15 08:00:00,+49 30 123401234,30\n")
    for name, file in (("one", ones), ("two", twos)):
        done = await office.run("audit", "reconcile", str(file), "--trunk", name)
        assert (done.code, done.err) == (0, "")
        assert "1 calls of the carrier, 1 of ours: 1 are the same" in done.out
    done = await office.run("audit", "reconcile", str(ones), "--trunk", "three")
    assert (done.code, done.err) == (1, "wephone: there is no trunk `three`: there are one, two\n")


async def test_a_list_that_cannot_be_read_is_one_sentence(office: Office, tmp_path: Path) -> None:
    done = await office.run("audit", "reconcile", str(tmp_path / "none.csv"))
    assert (done.code, done.err) == (
        1,
        f"wephone: cannot read `{tmp_path / 'none.csv'}`: no such file or directory\n",
    )
    done = await office.run("audit", "reconcile", "x.csv", "--zone", "Mars")
    assert done.code == 2 and "there is no time zone `Mars`" in done.err


def calls(
    tmp_path: Path, content: bytes, how: Reading | None = None
) -> list[tuple[int, str, int, str | None]]:
    file = tmp_path / "carrier.csv"
    file.write_bytes(content)
    rows, bad = read(file, how or Reading())
    assert not bad
    return [(row.at // SECOND - AT, row.number.digits, row.seconds, row.caller) for row in rows]


def test_separators_marks_encodings_and_languages_are_understood(tmp_path: Path) -> None:
    plain = "start;number;seconds;caller\r\n2027-01-15T08:00:00Z;+8613800138000;0:01:05;+12125550100\r\n"
    wanted = [(0, "+8613800138000", 65, "+12125550100")]
    assert calls(tmp_path, plain.encode()) == wanted
    assert calls(tmp_path, plain.encode("utf-8-sig")) == wanted
    assert calls(tmp_path, plain.encode("utf-16")) == wanted
    chinese = "主叫号码\t被叫号码\t开始时间\t通话时长\n匿名\t008613800138000\t2027/01/15 08:00:00\t64.2\n"
    how = Reading(encoding="gb18030")
    with pytest.raises(Failure, match="line 1: is no utf-8: say another --encoding"):
        calls(tmp_path, chinese.encode("gb18030"))
    file = tmp_path / "carrier.csv"
    rows, bad = read(file, how)
    assert not rows and bad == [BadRow(2, "被叫号码", bad[0].fault)]


def test_columns_zones_formats_and_numbers_without_plus_are_as_the_operator_says(tmp_path: Path) -> None:
    from zoneinfo import ZoneInfo

    how = Reading(
        columns={"start": "2", "number": "B party", "seconds": "len"},
        zone=ZoneInfo("Asia/Shanghai"),
        time_format="%d.%m.%Y %H:%M",
        without_plus=True,
    )
    content = b"id,when,b_party,LEN\n1,15.01.2027 16:00,8613800138000,65\n"
    assert calls(tmp_path, content, how) == [(0, "+8613800138000", 65, None)]
    assert calls(tmp_path, b"start,number,seconds\n1800000000,+12125550100,1\n\n") == [
        (0, "+12125550100", 1, None)
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "which column has the start"),
        (b"start,number\n", "which column has the seconds"),
        (b'start,number,seconds\n"1,2,3\n', "line 2: unexpected end of data"),
    ],
)
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(Failure, match=said):
        calls(tmp_path, content)


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        ("1800000000,abc,1", "number", "found 'abc'"),
        ("1800000000,+12125550100,-1", "seconds", "is no duration"),
        ("1800000000,+12125550100,9999999", "seconds", "longer than a week"),
        ("1800000000,+12125550100", "seconds", "is missing: the row has 2 columns"),
        ("2027-13-01,+12125550100,1", "start", "is no time"),
    ],
)
def test_a_bad_row_is_named_by_line_and_column_and_the_others_count(
    tmp_path: Path, line: str, column: str, said: str
) -> None:
    file = tmp_path / "carrier.csv"
    file.write_text(f"start,number,seconds\n{line}\n1800000000,+12125550100,1\n")
    rows, [bad] = read(file, Reading())
    assert len(rows) == 1
    assert (bad.line, bad.column) == (2, column) and said in bad.fault


def test_no_cell_is_a_formula() -> None:
    cells = ["=1+1", "+86", "-1", "@x", "\tx", "12", ""]
    assert list(safe_rows(iter([cells]))) == [["'=1+1", "'+86", "'-1", "'@x", "'\tx", "12", ""]]
