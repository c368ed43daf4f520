"""Settings: from a file and the environment, or a sentence that says what is wrong with them."""

from pathlib import Path

import pytest

from licensing.signing import new_key
from signaling.configuration import SettingsError, listed, load, made
from signaling.settings import Endpoint, Settings
from signaling.store.database import database_shown

SECRET = "4f9c1d0e7b2a4c558d7f"


def refusal(environment: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(file, environment)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_without_any_setting_the_server_is_for_this_machine_alone() -> None:
    settings = load(None, {})
    assert settings.listen == ("127.0.0.1", 8080)
    assert settings.operator_listen.is_loopback
    assert settings.registration_open
    assert settings.turn_secret is None


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "wephone.toml"
    file.write_text('listen = "0.0.0.0:80"\ndrain = 5\norigins = ["https://a.example"]\n')
    settings = load(file, {"WEPHONE_DRAIN": "7", "WEPHONE_LIMITS": "false", "OTHER": "x"})
    assert settings.listen == ("0.0.0.0", 80)
    assert (settings.drain, settings.limits) == (7.0, False)
    assert settings.origins == ("https://a.example",)
    assert load(None, {"WEPHONE_CONFIG": str(file)}).drain == 5
    assert not settings.registration_open


def test_an_unknown_setting_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    file = tmp_path / "wephone.toml"
    file.write_text("listn = '127.0.0.1:1'\n")
    assert refusal({}, file) == f"there is no setting 'listn' in {file}: did you mean `listen`?"
    assert "did you mean `turn_secret`?" in refusal({"WEPHONE_TURN_SECRT": "x"})
    assert "WEPHONE_TURN_SECRT" in refusal({"WEPHONE_TURN_SECRT": "x"})


def test_a_value_of_another_kind_is_refused_in_plain_words(tmp_path: Path) -> None:
    file = tmp_path / "wephone.toml"
    for line, said in (
        ("data = 5", f"`data` in {file}: must be a path, as text"),
        ("origins = 5", f"`origins` in {file}: must be a list"),
    ):
        file.write_text(f"{line}\n")
        assert refusal({}, file) == said


def test_a_variable_that_is_not_in_capitals_is_refused_with_its_spelling() -> None:
    said = refusal({"WEPHONE_Listen": "0.0.0.0:80"})
    assert said == "'WEPHONE_Listen' in the environment is not in capitals: write `WEPHONE_LISTEN`"


def test_variables_of_our_other_programs_are_no_settings() -> None:
    assert load(
        None,
        {"WEPHONE_URL": "http://x", "WEPHONE_USER": "alice", "WEPHONE_SEED": "1", "WEPHONE_FIREFOX": "/x"},
    ) == load(None, {})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LISTEN", "8080", "must be a host and a port, as in `127.0.0.1:8080`"),
        ("NODE", "Node 1", "must be at most 32 of a to z, 0 to 9 and `-`"),
        ("SEAT", "Beijing", "as in `CN-BJ`"),
        ("LISTEN", "host:99999", "as in `127.0.0.1:8080`"),
        ("LISTEN", "::1:80", "in brackets"),
        ("DRAIN", "soon", "valid number"),
        ("DRAIN", "-1", "greater than or equal to 0"),
        ("TURN_LIFETIME", "3600", "less than or equal to 300"),
        ("PUBLIC_URL", "phone.example.org", "as in `https://phone.example.org`"),
        ("PUBLIC_URL", "https://phone.example.org/path", "without path"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,front", "IPv4 network"),
        ("HOMES", "China", "must be a country of ISO 3166-1 in two capital letters, as in `CN`, not 'China'"),
        ("RETENTION_AT", "25:00", "must be a time, as in `03:17`, not '25:00'"),
        ("REGISTRATION", "perhaps", "'auto', 'open' or 'closed'"),
        ("MEDIA", "asterisk", "'none', 'embedded' or 'janus'"),
        ("JANUS_URL", "http://janus", "as in `ws://127.0.0.1:8188`"),
    ],
)
def test_a_bad_value_is_named_with_its_source(name: str, value: str, said: str) -> None:
    text = refusal({f"WEPHONE_{name}": value})
    assert text.startswith(f"WEPHONE_{name}: ")
    assert said in text


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "changeme",
        "change-me-please",
        "YOUR_SECRET_HERE",
        "short",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "supersecretsupersecret",
        "insert-secret-here!!",
        "example-secret-key-1",
        "passwordpassword1",
    ],
)
def test_a_placeholder_is_no_secret(secret: str) -> None:
    text = refusal({"WEPHONE_TURN_SECRET": secret, "WEPHONE_TURN_URLS": "turn:relay.example.org"})
    assert text.startswith("WEPHONE_TURN_SECRET: ")
    assert not secret or secret not in text


def test_janus_is_not_asked_without_its_secret(tmp_path: Path) -> None:
    assert refusal({"WEPHONE_MEDIA": "janus"}).endswith("needs janus_secret or janus_secret_file")
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    settings = made({"media": "janus", "janus_secret_file": str(tmp_path / "secret")})
    assert settings.janus_secret is not None
    assert settings.janus_secret.get_secret_value() == SECRET


def test_a_databases_password_is_real_and_not_shown() -> None:
    text = refusal({"WEPHONE_DATABASE": "postgresql://wephone:changeme@db/wephone"})
    assert text.startswith("WEPHONE_DATABASE: has a placeholder")
    assert "placeholder" in refusal({"WEPHONE_DATABASE": "postgresql:///wephone?password=changeme"})
    assert "sqlite:///PATH" in refusal({"WEPHONE_DATABASE": "mysql://db/wephone"})
    assert "sqlite:///PATH" in refusal({"WEPHONE_DATABASE": "wephone.db"})
    settings = made({"database": f"postgresql://wephone:{SECRET}@db/wephone"})
    assert SECRET not in repr(settings)
    assert made({"database": "postgresql:///wephone?host=/run/postgresql"})


def test_a_secret_may_be_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    settings = made({"turn_secret_file": str(file), "turn_urls": "turn:relay.example.org:3478"})
    assert settings.turn_secret is not None
    assert settings.turn_secret.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    with pytest.raises(SettingsError, match="cannot be read"):
        made({"turn_secret_file": str(tmp_path / "none")})
    file.write_text("changeme\n")
    with pytest.raises(SettingsError, match="placeholder"):
        made({"turn_secret_file": str(file)})


def test_what_belongs_together_is_given_together() -> None:
    with pytest.raises(SettingsError, match="turn_urls need"):
        made({"turn_urls": "turn:relay.example.org"})
    with pytest.raises(SettingsError, match="go together"):
        made({"operator_tls_key": "key.pem"})


def test_operators_are_not_served_to_everybody() -> None:
    with pytest.raises(SettingsError, match="is open to others"):
        made({"operator_listen": "0.0.0.0:8081"})
    assert made({"operator_listen": "0.0.0.0:8081", "operator_networks": "10.0.0.0/8"})


@pytest.mark.parametrize(
    ("values", "is_open"),
    [
        ({}, True),
        ({"listen": "[::1]:8080"}, True),
        ({"listen": "0.0.0.0:8080"}, False),
        ({"public_url": "https://phone.example.org"}, False),
        ({"trusted_proxies": "127.0.0.1/32"}, False),
        ({"listen": "0.0.0.0:8080", "registration": "open"}, True),
        ({"registration": "closed"}, False),
    ],
)
def test_strangers_open_accounts_only_on_this_machine_unless_told_otherwise(
    values: dict[str, str], is_open: bool
) -> None:
    assert made(values).registration_open is is_open


def test_a_file_that_is_no_toml_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "wephone.toml"
    file.write_text("listen = \n")
    assert "is not TOML" in refusal({}, file)
    assert "cannot read" in refusal({}, tmp_path / "none")


def test_data_are_never_in_the_working_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert load(None, {}).data == tmp_path / ".local/share/wephone"
    monkeypatch.setenv("XDG_DATA_HOME", "relative/path")  # to be ignored, says the specification
    assert load(None, {}).data == tmp_path / ".local/share/wephone"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert load(None, {}).data == tmp_path / "xdg/wephone"


def test_every_setting_says_what_it_is_for() -> None:
    assert {setting.name for setting in listed()} == set(Settings.model_fields)
    assert all(setting.text for setting in listed())


def test_endpoints_are_shown_as_they_are_typed() -> None:
    assert str(Endpoint("::1", 80)) == "[::1]:80"
    assert str(made({"listen": ":80"}).listen) == "0.0.0.0:80"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/lib/wephone/wephone.db", "sqlite:////var/lib/wephone/wephone.db"),
        ("postgresql://wephone:s3cret@db:5432/calls", "postgresql://wephone@db:5432/calls"),
        ("postgresql:///calls?host=/run/pg&password=s3cret", "postgresql:///calls?host=/run/pg"),
        ("postgresql://db/calls?password=s3cret&user=wephone", "postgresql://db/calls?user=wephone"),
        ("postgresql://db/calls?password=s3cret", "postgresql://db/calls"),
        ("postgresql://wephone@db/calls?sslmode=require", "postgresql://wephone@db/calls?sslmode=require"),
    ],
)
def test_the_ready_line_shows_no_password(url: str, shown: str) -> None:
    assert database_shown(url) == shown


def test_a_webhook_is_told_over_https_or_on_this_machine_and_with_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    for url in (
        "https://ops.example.org/x?y=1",
        "http://127.0.0.1:9/x",
        "http://[::1]:9/x",
        "http://localhost/",
    ):
        settings = made({"warning_webhook": url, "warning_webhook_secret_file": str(file)})
        assert settings.warning_webhook == url
        assert settings.warning_webhook_secret is not None
        assert settings.warning_webhook_secret.get_secret_value() == SECRET
    for url in (
        "http://ops.example.org/x",
        "http://10.0.0.1/",
        "ftp://x/",
        "ops.example.org",
        "https://u@x.org/",
        "",
    ):
        with pytest.raises(SettingsError, match="warning_webhook"):
            made({"warning_webhook": url, "warning_webhook_secret": SECRET})
    with pytest.raises(SettingsError, match="warning_webhook needs warning_webhook_secret"):
        made({"warning_webhook": "https://ops.example.org/"})


def test_the_permit_file_lies_in_the_data_folder_unless_it_is_said_where(tmp_path: Path) -> None:
    key = str(new_key().public)
    settings = made({"data": str(tmp_path), "permit_file_keys": f"{key}, {key}"})
    assert settings.permit_file_path == tmp_path / "permits.json"
    assert settings.permit_file_keys == (key, key)
    assert made({"permit_file": "/etc/wephone/permits.json"}).permit_file_path == Path(
        "/etc/wephone/permits.json"
    )
    with pytest.raises(SettingsError, match="permit_file_keys"):
        made({"permit_file_keys": "ed25519:AAAA"})
