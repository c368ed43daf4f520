"""A carrier's list of calls: any spelling of columns, times and numbers, or what is wrong, and where."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from math import ceil
from pathlib import Path

from licensing.numbering import NOWHERE, Place, Unplaced, canonicalise
from licensing.reasons import fault_text
from licensing.reconcile import SECOND, Carried
from wephone.cli.output import Failure

LARGEST = 256 << 20  # bytes of a file
LONGEST_CALL = 7 * 24 * 3600  # seconds; more is a column that means something else

# What the columns of carriers are called, in small letters without what separates words.
NAMES: dict[str, tuple[str, ...]] = {
    "start": ("start", "starttime", "startdate", "calldate", "datetime", "date", "setuptime", "connecttime",
              "time", "通话开始时间", "开始时间", "起始时间"),
    "number": ("number", "destination", "dst", "called", "callednumber", "callee", "to", "dialednumber",
               "被叫号码", "被叫"),
    "seconds": ("seconds", "duration", "billsec", "durationseconds", "billedduration", "billedseconds",
                "通话时长", "时长"),
    "caller": ("caller", "callerid", "src", "source", "callingnumber", "ani", "from", "主叫号码", "主叫"),
}  # fmt: skip
NEEDED = ("start", "number", "seconds")
_CLOCK = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,4}):([0-5][0-9])")
_UNIX = re.compile(r"[0-9]{9,11}(?:\.[0-9]{1,9})?")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read the file. `columns`: which of NAMES is in which column, by its name or number from 1."""

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    zone: tzinfo = UTC
    time_format: str | None = None
    place: Place = NOWHERE
    without_plus: bool = False  # numbers are E.164 but for the plus


@dataclass(frozen=True, slots=True)
class BadRow:
    """What cannot be read: where, and why."""

    line: int
    column: str
    fault: str


class Fault(Exception):
    """A value that cannot be read; the text says what it must be."""


def read(file: Path, how: Reading) -> tuple[list[Carried], list[BadRow]]:
    """Its calls, and the rows that are none. Failure if it cannot be read at all."""
    text = decoded(file, how.encoding)
    first = text.partition("\n")[0]
    delimiter = how.delimiter or max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Carried] = []
    bad: list[BadRow] = []
    try:
        columns = placed(next(reader, []), how.columns, file)
        for row in reader:
            if any(cell.strip() for cell in row):
                found = carried(row, reader.line_num, columns, how)
                bad.append(found) if isinstance(found, BadRow) else rows.append(found)
    except csv.Error as error:
        raise Failure(f"{file}: line {reader.line_num}: {error}") from None
    return rows, bad


def decoded(file: Path, encoding: str | None) -> str:
    """The file's text: in the encoding that is named or that it shows, or UTF-8."""
    try:
        if file.stat().st_size > LARGEST:
            raise Failure(f"{file}: has more than {LARGEST >> 20} MiB")
        content = file.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read `{file}`: {(error.strerror or str(error)).lower()}") from None
    name = encoding or next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(name).removeprefix("\ufeff")
    except LookupError:
        raise Failure(f"there is no encoding `{name}`") from None
    except UnicodeError as error:
        line = content.count(b"\n", 0, error.start) + 1 if isinstance(error, UnicodeDecodeError) else 1
        raise Failure(f"{file}: line {line}: is no {name}: say another --encoding, as gb18030") from None


def placed(header: list[str], named: Mapping[str, str], file: Path) -> dict[str, tuple[int, str]]:
    """Which column has what: its index, and its name for people."""
    plain = [flat(cell) for cell in header]
    found: dict[str, tuple[int, str]] = {}
    for what, names in NAMES.items():
        if (column := named.get(what)) is not None:
            found[what] = asked_for(column, header, plain, file)
        elif index := [plain.index(name) for name in names if name in plain]:
            found[what] = (index[0], header[index[0]].strip())
    for what in NEEDED:
        if what not in found:
            shown = ", ".join(cell.strip() for cell in header)[:200]
            raise Failure(
                f"{file}: line 1: which column has the {what}? say --column {what}=NAME of: {shown}"
            )
    return found


def asked_for(column: str, header: list[str], plain: list[str], file: Path) -> tuple[int, str]:
    """The column of this name or number."""
    if flat(column) in plain:
        index = plain.index(flat(column))
    elif column.isascii() and column.isdigit() and 0 < int(column) <= len(header):
        index = int(column) - 1
    else:
        raise Failure(f"{file}: line 1: there is no column `{column}`")
    return index, header[index].strip() or column


def flat(text: str) -> str:
    """A column's name without case and what separates its words."""
    return re.sub(r"[\s_.()\[\]-]+", "", text.lower())


def carried(
    row: list[str], line: int, columns: Mapping[str, tuple[int, str]], how: Reading
) -> Carried | BadRow:
    """One call, or what is wrong with it."""
    cells: dict[str, str] = {}
    for what, (index, name) in columns.items():
        if index >= len(row):
            return BadRow(line, name, f"is missing: the row has {len(row)} columns")
        cells[what] = row[index].strip()
    what = "start"
    try:
        at = moment(cells[what], how)
        what = "number"
        number = canonicalise(spelled(cells[what], how), how.place)
        if isinstance(number, Unplaced):
            raise Fault(fault_text(number.fault).en.rstrip("."))
        what = "seconds"
        seconds = duration(cells[what])
    except Fault as fault:
        return BadRow(line, columns[what][1], f"{fault} (found {cells[what]!r:.60})")
    return Carried(line, at, number, seconds, shown(cells.get("caller", ""), how))


def spelled(text: str, how: Reading) -> str:
    """A number with the plus that this carrier leaves out."""
    return f"+{text}" if how.without_plus and text[:1].isdigit() else text


def shown(text: str, how: Reading) -> str | None:
    """The caller's number; None if it is withheld, or anything else."""
    number = canonicalise(spelled(text, how), how.place)
    return None if isinstance(number, Unplaced) else number.address


def moment(text: str, how: Reading) -> int:
    """µs UTC: by the format that is named, by ISO 8601, or as Unix seconds. Fault if it is none."""
    if how.time_format is None and _UNIX.fullmatch(text):
        return round(float(text) * SECOND)
    try:
        found = spelled_out(text, how.time_format)
    except ValueError:
        wanted = how.time_format or "2026-11-25 17:00:00"
        raise Fault(f"is no time as in `{wanted}`") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=how.zone)
    return round(found.timestamp()) * SECOND


def spelled_out(text: str, time_format: str | None) -> datetime:
    """A time with or without its zone; ValueError if it is none."""
    if time_format is None:
        return datetime.fromisoformat(text.replace("/", "-"))
    return datetime.strptime(text, time_format)  # noqa: DTZ007 - the caller knows the zone


def duration(text: str) -> int:
    """Seconds from `65`, `65.2`, `1:05` or `00:01:05`; Fault if it is none."""
    if clock := _CLOCK.fullmatch(text):
        found = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3])
    elif re.fullmatch(r"[0-9]{1,9}(?:[.][0-9]{1,9})?", text):
        found = ceil(float(text))
    else:
        raise Fault("is no duration as in `65` or `00:01:05`")
    if found > LONGEST_CALL:
        raise Fault("is longer than a week")
    return found


def safe_rows(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """Cells that a spreadsheet takes for text, not for a formula (OWASP, CSV injection)."""
    for row in rows:
        yield [f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in row]
