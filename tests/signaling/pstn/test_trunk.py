"""Trunks as operators write them down: what is read, and what is said about a mistake."""

from pathlib import Path

import pytest

from licensing.reasons import Obligation
from signaling import configuration as settings
from signaling.pstn.numbers import NumberFormat, Style
from signaling.pstn.selection import Health
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.trunk import Trunk
from signaling.pstn.trunk_file import TrunkError, credentials, load, password_variable
from tests.house.checkout import ROOT

PAGE = (ROOT / "docs/operating.md").read_text()
LEAST = '[trunks.one]\nuri = "sip:sip.carrier.example"\nsign_in = "address"\nlimits.countries = ["DE"]\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "trunks.toml"
    file.write_text(text)
    return file


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(TrunkError) as caught:
        load(written(folder, text))
    said = str(caught.value)
    assert "\n" not in said and said.startswith(f"{folder / 'trunks.toml'}")
    return said.removeprefix(f"{folder / 'trunks.toml'}")


def example() -> str:
    return PAGE.partition("## Connecting a trunk")[2].partition("```toml\n")[2].partition("```")[0]


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    trunk = load(written(tmp_path, example()))["carrier_a"]
    assert trunk.sign_in == "register" and trunk.username == "wephone-4711"
    assert trunk.numbers.form() == NumberFormat(Style.NATIONAL, "DE", "00", "")
    assert trunk.limits.caps().call_seconds == 120 * 60
    assert trunk.limits.caps().countries == {"DE", "AT", "CH"}
    assert trunk.duties == {Obligation.ROUTE_LICENSED_TRUNK}
    assert dict(trunk.dids) == {"+4930123456": "alice"}
    standing = trunk.standing("carrier_a", Health.UP, 3, 0.0)
    assert (standing.most_calls, standing.emergency_in) == (10, frozenset({"DE"}))


def test_a_trunk_needs_little(tmp_path: Path) -> None:
    trunk = load(written(tmp_path, LEAST))["one"]
    assert credentials(tmp_path / "trunks.toml", "one", trunk, {}) is None
    assert trunk.codecs == ("PCMA", "PCMU") and not trunk.emergency_in
    assert load(written(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('uri = "sip:bob@carrier.example"', "trunks.x.uri: must be an address such as"),
        (
            'uri = "sip:carrier.example;transport=sctp"',
            "trunks.x.uri: cannot be used: SIP over SCTP is not built in",
        ),
        ('uri = "https://carrier.example"', "(found 'https://carrier.example')"),
        ('codecs = ["G729"]', "trunks.x.codecs.0: must be 'PCMA', 'PCMU', 'G722' or 'opus' (found 'G729')"),
        ("limits.concurrent_calls = 0", "trunks.x.limits.concurrent_calls: "),
        ('limits.countries = ["Germany"]', "must be a country of ISO 3166-1"),
        ('duties = ["RETAIN_CDR_18M"]', "must be something that is done for each call"),
        ('emergency_in = ["XX"]', "trunks.x.emergency_in"),
        ('dids = { "030123456" = "alice" }', "must be a telephone number by E.164"),
        ('dids = { "+4930123456" = "030" }', "trunks.x.dids.+4930123456: "),
        ('caller_id.default = "030123456"', "trunks.x.caller_id.default: must be a telephone number"),
        ('caller_id.show = "x"', "trunks.x.caller_id.show: there is no such setting (found 'x')"),
        (
            'url = "sip:carrier.example"',
            "trunks.x.url: there is no such setting: did you mean `uri`? (found 'sip:carrier.example')",
        ),
        (
            "limits.cals_per_hour = 1",
            "limits.cals_per_hour: there is no such setting: did you mean `calls_per",
        ),
        ('numbers.style = "national"', "trunks.x.numbers: style `national` needs country"),
        ('numbers.prefix = "a"', "trunks.x.numbers.prefix: must be at most 12 digits, `*` and `#`, not 'a'"),
        (
            'sources = ["10.0.0.0/99"]',
            "trunks.x.sources.0: input is not a valid IPv4 network (found '10.0.0.0/99')",
        ),
        ("srtp = true", "trunks.x: srtp needs TLS"),
        ('uri = "sip:tls.example"\nsrtp = true', "trunks.x: srtp needs TLS"),
        ('sign_in = "register"', "trunks.x: sign_in `register` needs username"),
        ('username = "u"', "trunks.x: sign_in `address` takes neither username nor password_file"),
        ('dids = { "+4930123456" = "alice" }', "trunks.x: dids need sources"),
    ],
)
def test_a_mistake_is_named_with_file_path_and_value(tmp_path: Path, line: str, said: str) -> None:
    lines = {
        "uri": 'uri = "sip:carrier.example"',
        "sign_in": 'sign_in = "address"',
        "limits.countries": 'limits.countries = ["DE"]',
    }
    lines[line.partition(" = ")[0]] = line
    assert said in refusal(tmp_path, "[trunks.x]\n" + "\n".join(lines.values()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[trunks.x]\n", ": trunks.x.uri: is missing"),
        ('[trunks.x]\nurl = "sip:a"\n', ": trunks.x.url: there is no such setting: did you mean `uri`?"),
        ("[trunks.X]\n", "a name must be at most 32 of a to z, 0 to 9 and `_`, with a letter first, not 'X'"),
        ("[trunk.x]\n", ": there is no setting 'trunk': a trunk is [trunks.NAME]"),
        ("trunks = 1\n", ": trunks: must have a table for each trunk"),
        ("trunks = \n", " is not TOML: "),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_two_trunks_do_not_claim_one_number(tmp_path: Path) -> None:
    one = LEAST + 'sources = ["192.0.2.1"]\ndids = { "+4930123456" = "alice" }\n'
    said = refusal(tmp_path, one + one.replace("trunks.one", "trunks.two"))
    assert said == ": dids: two trunks have +4930123456"


def test_a_password_is_never_in_the_file_and_never_said(tmp_path: Path) -> None:
    said = refusal(tmp_path, LEAST + 'password = "swordfish"\n')
    assert "does not belong here" in said and "swordfish" not in said
    said = refusal(tmp_path, LEAST + 'passwd = "swordfish"\n')
    assert "trunks.one.passwd: there is no such setting" in said and "swordfish" not in said


def test_the_server_s_settings_leave_a_trunk_s_password_alone() -> None:
    assert settings.load(None, {password_variable("one"): "trout"}) == settings.load(None, {})


def test_the_password_is_in_the_environment_or_in_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    file, secret = tmp_path / "trunks.toml", tmp_path / "secret"
    trunk = Trunk.model_validate(
        {
            "uri": "sip:carrier.example",
            "username": "u",
            "password_file": "secret",
            "limits": {"countries": ["DE"]},
        }
    )
    secret.write_text("swordfish\n")
    secret.chmod(0o600)
    assert credentials(file, "one", trunk, {}) == Credentials("u", "swordfish")
    assert credentials(file, "one", trunk, {"WEPHONE_TRUNK_ONE_PASSWORD": "trout"}) == Credentials(
        "u", "trout"
    )
    secret.chmod(0o644)
    with pytest.raises(TrunkError, match=r"password_file: others can read or change .*: chmod 600"):
        credentials(file, "one", trunk, {})
    secret.chmod(0o600)
    secret.write_text("")
    with pytest.raises(TrunkError, match="must have one line, the password"):
        credentials(file, "one", trunk, {})
    secret.unlink()
    with pytest.raises(TrunkError, match=r"cannot read .*: no such file"):
        credentials(file, "one", trunk, {})
    without = trunk.model_copy(update={"password_file": None})
    with pytest.raises(
        TrunkError, match=r"trunks\.one: has no password: set password_file or WEPHONE_TRUNK_ONE_PASSWORD"
    ):
        credentials(file, "one", without, {})
