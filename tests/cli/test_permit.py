"""`wephone permit` and `pstn`: what they file, what they refuse, and who has to agree."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Commands
from tests.cli.office import BASIC, Office

CHINA = {
    "id": "cn-a15",
    "jurisdiction": "CN",
    "categories": ["CN:A15-1"],
    "holder": "Example Operator Ltd",
    "number": "A1-20240001",
    "regions": ["*"],
    "valid_from": "2024-03-01",
    "valid_until": "2033-12-31",
}


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    """No server runs until a test starts one."""
    office = Office(commands, tmp_path)
    yield office
    await office.close()


async def test_without_a_server_the_database_is_opened_and_a_server_finds_what_was_filed(
    office: Office,
) -> None:
    assert (await office.does("permit", "list"))["permits"] == []
    filed = await office.files(CHINA)
    assert filed["permit"] == {**filed["permit"], **CHINA, "version": 1, "verified": False}
    await office.serve()
    [listed] = (await office.does("permit", "list"))["permits"]
    assert listed == filed
    assert office.rows("SELECT permit, version FROM v_permit") == [("cn-a15", 1)]


WRONG: list[tuple[Any, str]] = [
    ('{"id": "x", "id": "y"}', "stdin: id: is there twice (found 'y')"),
    (
        {**CHINA, "valid_form": "2024-03-01"},
        "stdin: valid_form: is no field of it; did you mean `valid_from`?",
    ),
    ({**CHINA, "categories": ["CN:A16-1"]}, "stdin: categories[0]: CN has no such category; the nearest"),
    ({**CHINA, "version": 3}, "stdin: version: the first version is 1 (found 3)"),
    ({**CHINA, "valid_until": "2033-02-29"}, "stdin: valid_until: "),
    ({**CHINA, "jurisdiction": "ZW"}, "stdin: jurisdiction: there is no law of it here"),
    (
        {**CHINA, "status_events": [{"status": "suspended", "from": "2026-03-01T00:00:00"}]},
        "stdin: status_events[0].from: must be a time with its offset, as `2026-11-30T00:00:00+08:00` "
        "(found '2026-03-01T00:00:00')",
    ),
    (
        {**CHINA, "status_events": [{"status": "suspended", "from": "2026-03-01T00:00:00+08:00"}] * 2},
        "stdin: status_events: the suspension from 2026-03-01T00:00:00+08:00 overlaps the one before it",
    ),
]


async def test_a_document_that_is_wrong_is_refused_whole_by_file_path_and_value(office: Office) -> None:
    await office.serve()
    for document, fault in WRONG:
        text = document if isinstance(document, str) else json.dumps(document)
        done = await office.run("permit", "add", "-", stdin=text)
        assert (done.code, done.out) == (1, "")
        assert f"wephone: {fault}" in done.err
        assert done.err.count("\n") == 1
    assert (await office.does("permit", "list"))["epoch"] == 0


async def test_a_file_is_named_when_it_is_wrong_or_not_there(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "permit.json"
    assert f"cannot read `{file}`: no such file" in (await office.run("permit", "add", str(file))).err
    file.write_text(json.dumps({**CHINA, "regions": ["Beijing"]}))
    done = await office.run("permit", "add", str(file))
    assert f"wephone: {file}: regions[0]: " in done.err and "found 'Beijing'" in done.err


async def test_a_check_is_recorded_with_the_hash_of_what_was_looked_at(
    office: Office, tmp_path: Path
) -> None:
    scan = tmp_path / "permit.pdf"
    scan.write_bytes(b"scan")
    checked = ("--verified-by", "Li Na", "--evidence", str(scan))
    filed = await office.files(CHINA, *checked, "--register-address", "https://tsm.miit.gov.cn/")
    assert filed["permit"]["verified"] is True
    [evidence] = filed["permit"]["evidence"]
    assert evidence["checked_by"] == "Li Na"
    assert evidence["sha256"] == sha256(b"scan").hexdigest()
    assert evidence["register_address"] == "https://tsm.miit.gov.cn/"
    assert filed["warnings"] == []
    shown = await office.does("permit", "show", "cn-a15")
    assert [each["checked_by"] for each in shown["versions"][0]["permit"]["evidence"]] == ["Li Na"]
    exported = (await office.run("audit", "export")).out
    assert sha256(b"scan").hexdigest() in exported and "Li Na" not in exported
    assert (await office.run("permit", "add", "-", "--verified-by", "Li Na", stdin="{}")).code == 2
    assert (await office.run("permit", "add", "-", "--evidence", str(scan), stdin="{}")).code == 2


async def test_a_permit_that_nobody_checked_is_filed_with_a_warning(office: Office) -> None:
    done = await office.run("permit", "add", "-", stdin=json.dumps({**BASIC, "verified": True}))
    assert done.code == 0
    assert "warning: basic-1: nobody has verified it" in done.err
    assert "not verified" in done.out


async def test_a_second_version_leaves_the_first_as_it_was(office: Office) -> None:
    await office.serve()
    await office.files(CHINA)
    done = await office.run("permit", "add", "-", stdin=json.dumps(CHINA))
    assert "version: `cn-a15` is there as version 1; a new version states 2 (found 1)" in done.err
    await office.files({**CHINA, "version": 2, "valid_until": "2038-12-31"})
    shown = await office.does("permit", "show", "cn-a15")
    assert shown["permit"]["valid_until"] == "2038-12-31"
    ends = [(each["version"], each["permit"]["valid_until"], each["by"]) for each in shown["versions"]]
    assert ends == [(1, "2033-12-31", "operator"), (2, "2038-12-31", "operator")]


async def test_lifting_a_suspension_takes_two_accounts(office: Office) -> None:
    await office.serve()
    await office.files(BASIC)
    vera = await office.second_operator()
    suspended = await office.does(
        "permit", "suspend", "basic-1", "--from", "2026-01-02T00:00:00+08:00", "--reference", "MIIT 7"
    )
    assert suspended["standing"] == "suspended"
    [event] = suspended["permit"]["status_events"]
    assert (event["from"], event["to"], event["reference"]) == ("2026-01-02T00:00:00+08:00", None, "MIIT 7")
    asked = await office.does("permit", "reinstate", "basic-1", "--why", "the order was lifted")
    assert (asked["done"], asked["waiting"]["by"], asked["permit"]["standing"]) == (
        False,
        "operator",
        "suspended",
    )
    [waiting] = (await office.does("permit", "list"))["waiting"]
    assert (waiting["key"], waiting["why"]) == ("reinstate:basic-1", "the order was lifted")
    again = await office.run("permit", "reinstate", "basic-1")
    said = "wephone: you asked for this already: another operator has to agree\n"
    assert (again.code, again.err) == (1, said)
    agreed = await office.does("permit", "reinstate", "basic-1", "--as", vera)
    assert (agreed["done"], agreed["waiting"], agreed["permit"]["standing"]) == (True, None, "in_force")
    assert (await office.does("permit", "list"))["waiting"] == []


async def test_what_waits_can_be_taken_back(office: Office) -> None:
    await office.serve()
    vera = await office.second_operator()
    await office.does("pstn", "off")
    done = await office.run("pstn", "on")
    assert done.code == 0 and "wephone pstn on --as OPERATOR" in done.out
    await office.does("permit", "withdraw", "switch_on:telephone")
    assert (await office.does("pstn", "on", "--as", vera))["on"] is False


async def test_only_an_operator_that_is_known_can_be_named(office: Office) -> None:
    await office.serve()
    done = await office.run("pstn", "off", "--as", "nobody")
    assert done.code == 1 and "'nobody' is no operator's account" in done.err
    assert (await office.does("permit", "list"))["telephone"] == {"on": True}


TOGGLES: list[tuple[str, tuple[str, ...], list[str], list[str], list[str]]] = [
    ("CN", (), [], ["CN"], []),
    ("CN:sms_out", (), ["sms_out"], ["CN"], []),
    ("CN-BJ", (), [], [], ["CN-BJ"]),
    ("CN-BJ:pstn_out", (), ["pstn_out"], [], ["CN-BJ"]),
    ("floods", ("--region", "CN-GD", "--region", "CN-GX"), [], [], ["CN-GD", "CN-GX"]),
    ("maintenance", ("--service", "pstn_in", "--service", "pstn_out"), ["pstn_in", "pstn_out"], [], []),
]


async def test_a_toggle_says_what_it_is_about(office: Office) -> None:
    await office.serve()
    for scope, options, services, jurisdictions, regions in TOGGLES:
        toggle = await office.does("permit", "toggle", scope, "off", *options)
        assert toggle == {
            "key": scope,
            "enabled": False,
            "services": services,
            "jurisdictions": jurisdictions,
            "regions": regions,
        }
    assert len((await office.does("permit", "list"))["toggles"]) == len(TOGGLES)
    await office.does("permit", "toggle", "maintenance", "remove")
    assert len((await office.does("permit", "list"))["toggles"]) == len(TOGGLES) - 1


FAULTS: list[tuple[tuple[str, ...], int, str]] = [
    (("toggle", "pstn_outt", "off"), 2, "`pstn_outt` is neither a service class nor a country"),
    (("toggle", "x", "off", "--service", "video"), 2, "there is no service class `video`"),
    (("toggle", "x", "off", "--jurisdiction", "XX"), 1, "jurisdictions[0]: is neither a country"),
    (("toggle", "XX-1", "off"), 1, "regions[0]: is in no country (ISO 3166-2) (found 'XX-1')"),
    (("toggle", "CN-HK", "off"), 1, "regions[0]: is a country of its own here: name `HK` as a jurisdiction"),
    (("suspend", "basic-1", "--to", "2026-12-01T00:00:00"), 2, "is no time with an offset"),
    (("revoke", "basic-1"), 1, "there is no such permit (found 'basic-1')"),
]


async def test_what_cannot_be_done_is_said_in_one_sentence(office: Office) -> None:
    await office.serve()
    for arguments, code, fault in FAULTS:
        done = await office.run("permit", *arguments)
        assert (done.code, done.out) == (code, "")
        assert fault in done.err.splitlines()[-1]


SIGNED: dict[str, Any] = {"why": "the regulator's letter", "permits": [BASIC, CHINA]}


async def keys(office: Office, *names: str) -> str:
    """Make these keys; the setting that names their public halves."""
    made = [await office.does("permit", "key", str(office.home / name)) for name in names]
    return ",".join(key["public"] for key in made)


async def drop(office: Office, document: dict[str, Any], *names: str) -> None:
    """Sign a file with these keys, and move it where the server looks for it."""
    written = office.home / "written.json"
    written.write_text(json.dumps(document))
    for name in names:
        await office.does("permit", "sign", str(written), "--key", str(office.home / name))
    office.data.mkdir(exist_ok=True)
    written.replace(office.data / "permits.json")


async def test_a_signed_file_that_is_dropped_in_is_in_force_and_a_bad_one_says_why(office: Office) -> None:
    office.environment["WEPHONE_PERMIT_FILE_KEYS"] = await keys(office, "one", "two")
    await drop(office, SIGNED, "one")
    await office.serve()
    listed = await office.does("permit", "list")
    assert [filed["permit"]["id"] for filed in listed["permits"]] == ["basic-1", "cn-a15"]
    assert listed["file"]["fault"] is None and len(listed["file"]["keys"]) == 1
    [version] = (await office.does("permit", "show", "cn-a15"))["versions"]
    assert version["by"] == f"file:{listed['file']['keys'][0]}"
    (office.data / "permits.json").write_text("{")
    path = f"{office.data / 'permits.json'}: document: is no JSON"
    while (await office.does("permit", "list"))["file"]["fault"] is None:
        pass  # each command takes longer than the server does to look
    done = await office.run("permit", "list")
    assert f"the permit file was not taken, and what was in force stays: {path}" in done.out
    assert "basic-1@1" in done.out


async def test_without_a_server_a_file_that_lies_there_is_taken_or_refused_too(office: Office) -> None:
    await keys(office, "one")
    await drop(office, SIGNED, "one")
    assert "`permit_file_keys` names no key" in (await office.does("permit", "list"))["file"]["fault"]


async def test_what_cannot_be_signed_is_refused_by_file_path_and_value(office: Office) -> None:
    await keys(office, "one")
    file, key = office.home / "permits.json", str(office.home / "one")
    for text, fault in (
        (json.dumps({**SIGNED, "premits": []}), "premits: is no field of it; did you mean `permits`?"),
        (
            json.dumps({**SIGNED, "permits": [BASIC, BASIC]}),
            "permits[1].id: is there twice (found 'basic-1')",
        ),
        ("[]", "document: "),
    ):
        file.write_text(text)
        done = await office.run("permit", "sign", str(file), "--key", key)
        assert (done.code, done.out, file.read_text()) == (1, "", text)
        assert done.err.startswith(f"wephone: {file}: {fault}")
    done = await office.run("permit", "sign", str(file), "--key", str(file))
    assert done.code == 1 and f"{file}: is no private key" in done.err
    assert "cannot read" in (await office.run("permit", "sign", "nowhere", "--key", key)).err
    assert (await office.run("permit", "sign", str(file))).code == 2


async def test_a_key_is_its_owners_alone_and_is_never_written_over(office: Office) -> None:
    await keys(office, "one")
    key = office.home / "one"
    before = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    done = await office.run("permit", "key", str(key))
    assert (done.code, key.read_bytes()) == (1, before)
    assert f"cannot write `{key}`: file exists" in done.err
