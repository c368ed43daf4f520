"""docker-compose.yml and the Dockerfile: valid, and with no more rights than each part needs."""

import json
import re
import secrets
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from signaling.configuration import load
from tests.deploy.compose import (
    COMPOSE,
    TELEPHONE,
    Unset,
    filled_in,
    interpolate,
    read_compose,
    read_with_telephone,
)
from tests.house.checkout import ROOT, tracked_files

SCHEMA = Path(__file__).parent / "data/compose-spec.json"
SERVICES = ("wephone", "caddy", "coturn", "janus")


def example_variables() -> dict[str, str]:
    """What deploy/example.env sets: an operator starts from a copy of it."""
    lines = (ROOT / "deploy/example.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def service(name: str) -> dict[str, Any]:
    filled: dict[str, Any] = filled_in(read_compose(), example_variables())["services"][name]
    return filled


@pytest.mark.parametrize("filled", [False, True], ids=["as written", "filled in"])
def test_it_is_what_the_compose_specification_describes(filled: bool) -> None:
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    compose = filled_in(read_compose(), example_variables()) if filled else read_compose()
    assert [error.message for error in Draft202012Validator(schema).iter_errors(compose)] == []


def test_the_schema_is_not_satisfied_by_anything() -> None:
    compose = read_compose()
    compose["services"]["wephone"]["comand"] = "serve"
    compose["services"]["caddy"]["ports"] = "443"
    errors = list(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(compose))
    assert any("'comand' was unexpected" in error.message for error in errors)
    assert any("'443' is not of type 'array'" in error.message for error in errors)


def test_the_services_are_wephone_a_front_a_relay_and_janus_for_who_asks_for_it() -> None:
    services = read_compose()["services"]
    assert sorted(services) == sorted(SERVICES)
    assert [name for name, each in services.items() if "profiles" in each] == ["janus"]


def test_every_variable_is_in_the_example() -> None:
    used = {name for file in (COMPOSE, TELEPHONE) for name in re.findall(r"\$\{(\w+)", file.read_text())}
    assert used == set(example_variables())


@pytest.mark.parametrize("name", ["WEPHONE_DOMAIN", "TURN_ADDRESS"])
def test_what_has_no_default_has_to_be_said(name: str) -> None:
    variables = {key: value for key, value in example_variables().items() if key != name}
    with pytest.raises(Unset, match=name):
        filled_in(read_compose(), variables)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_change_nothing_but_its_data(name: str) -> None:
    described = service(name)
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert set(described.get("cap_add", [])) <= {"NET_BIND_SERVICE"}
    assert "no-new-privileges:true" in described["security_opt"]
    assert "privileged" not in described
    for volume in described["volumes"]:
        source, _, *mode = volume.split(":")
        assert mode == ["ro"] if source.startswith(".") else source in read_compose()["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_mounts_what_a_clone_has(name: str) -> None:
    tracked = tracked_files()
    for volume in service(name)["volumes"]:
        source = volume.split(":")[0]
        if source.startswith("."):
            assert [file for file in tracked if (ROOT / source).resolve() in file.parents]


def test_wephone_is_reached_through_the_front_alone() -> None:
    """And its operator's listener by nobody outside of the container."""
    assert "ports" not in service("wephone")
    assert service("wephone")["networks"] == ["inside"]
    assert read_compose()["networks"]["inside"]["internal"] is True
    operator = service("wephone")["environment"]["WEPHONE_OPERATOR_LISTEN"]
    assert operator.startswith("127.0.0.1:")
    assert operator.rpartition(":")[2] not in str(service("caddy"))


def test_the_server_reads_every_setting_that_it_is_given(tmp_path: Path) -> None:
    """And believes the front, and nobody else, about where a caller comes from."""
    (tmp_path / "secret").write_text(secrets.token_hex(32))
    environment = {name: str(value) for name, value in service("wephone")["environment"].items()}
    settings = load(environment={**environment, "WEPHONE_TURN_SECRET_FILE": str(tmp_path / "secret")})
    assert settings.public_url == "https://phone.example.org"
    assert not settings.registration_open
    networks = [config["subnet"] for config in filled_network()["ipam"]["config"]]
    assert [str(network) for network in settings.trusted_proxies] == networks
    assert settings.turn_lifetime <= 300
    assert len(settings.turn_urls) == 2


def filled_network() -> dict[str, Any]:
    network: dict[str, Any] = filled_in(read_compose(), example_variables())["networks"]["inside"]
    return network


def test_no_secret_is_in_an_environment() -> None:
    for name in SERVICES:
        for key, value in service(name)["environment"].items():
            if re.search("SECRET|PASSWORD|TOKEN|KEY", key):
                assert key.endswith("_FILE")
                assert value.startswith("/run/secrets/")


def test_secrets_and_settings_of_an_installation_are_never_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    files = [secret["file"] for secret in read_compose()["secrets"].values()]
    assert all(file.startswith("./deploy/secrets/") for file in files)
    assert {"/.env", "/deploy/secrets/"} <= set(ignored)
    assert not [file for file in tracked_files() if file.name == ".env" or "secrets" in file.parent.parts]


def test_interpolation_reads_the_three_forms() -> None:
    text = "${A}-${B:-b}-${C:-}-${D:?is missing}"
    assert interpolate(text, {"A": "1", "C": "3", "D": "4"}) == "1-b-3-4"
    with pytest.raises(Unset, match="D is missing"):
        interpolate(text, {})


# --- telephone calls ------------------------------------------------------------------------------------


def with_telephone() -> dict[str, Any]:
    filled: dict[str, Any] = filled_in(read_with_telephone(), example_variables())
    return filled


def test_with_telephones_it_is_what_the_compose_specification_describes_too() -> None:
    schema = json.loads(SCHEMA.read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(with_telephone())] == []


def test_with_telephones_wephone_is_where_trunks_reach_it_and_the_front_finds_it_there() -> None:
    both = with_telephone()
    wephone, caddy = both["services"]["wephone"], both["services"]["caddy"]
    assert wephone["network_mode"] == "host"
    assert "networks" not in wephone
    listen = wephone["environment"]["WEPHONE_LISTEN"]
    assert caddy["environment"]["WEPHONE_UPSTREAM"] == listen
    assert f"http://{listen}/healthz" in str(wephone["healthcheck"]["test"])
    [inside] = both["networks"]["inside"]["ipam"]["config"]
    assert listen == f"{inside['gateway']}:8080"  # not an address of the open Internet
    assert wephone["environment"]["WEPHONE_OPERATOR_LISTEN"].startswith("127.0.0.1:")
    assert wephone["cap_drop"] == ["ALL"] and wephone["read_only"] is True


@pytest.mark.parametrize("media", ["embedded", "janus"])
def test_with_telephones_the_server_reads_every_setting_too(tmp_path: Path, media: str) -> None:
    (tmp_path / "secret").write_text(secrets.token_hex(32))
    variables = {**example_variables(), "WEPHONE_MEDIA": media}
    both = filled_in(read_with_telephone(), variables)["services"]
    environment = {name: str(value) for name, value in both["wephone"]["environment"].items()}
    for name, value in environment.items():
        if value.startswith("/run/secrets/"):
            assert value.rpartition("/")[2] in both["wephone"]["secrets"]
            environment[name] = str(tmp_path / "secret")
    settings = load(environment=environment)
    assert settings.media == media
    assert (settings.sip_listen.port, settings.rtp_ports) == (5060, variables["RTP_PORTS"])
    assert str(settings.rtp_told) == variables["TURN_ADDRESS"]
    janus = both["janus"]["environment"]
    assert settings.janus_url == f"ws://{janus['JANUS_LISTEN']}:{janus['JANUS_PORT']}"
    assert settings.janus_admin_url == f"ws://{janus['JANUS_LISTEN']}:{janus['JANUS_ADMIN_PORT']}"
    assert janus["JANUS_TRUNK_PORTS"] == settings.rtp_ports


# --- the image ------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def final_stage() -> dict[str, list[str]]:
    steps = instructions()
    last = max(index for index, (word, _) in enumerate(steps) if word == "FROM")
    stage: dict[str, list[str]] = {}
    for word, rest in steps[last:]:
        stage.setdefault(word, []).append(rest)
    return stage


def test_the_image_runs_as_nobody_in_particular() -> None:
    assert final_stage()["USER"] == ["10001:10001"]
    assert final_stage()["CMD"] == ['["wephone", "serve"]']
    assert "/healthz" in final_stage()["HEALTHCHECK"][0]


def test_the_image_holds_what_the_lock_names_and_nothing_unchecked() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    locked, ours = installs
    assert "--require-hashes --only-binary :all: --requirement requirements.lock" in locked
    assert "--no-deps --no-build-isolation --no-index ." in ours
    assert "pip" not in str(final_stage().get("RUN"))


def test_no_layer_holds_a_secret_or_anything_by_accident() -> None:
    steps = instructions()
    assert not [rest for word, rest in steps if word in ("ARG", "ADD")]
    assert not [rest for word, rest in steps if re.search("secret|password|token", rest, re.IGNORECASE)]
    copied = {rest.split()[0] for word, rest in steps if word == "COPY"}
    assert "." not in copied
    ignored, *let_in = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith(("#", "**"))
    ]
    assert ignored == "*"
    copied_names = {n for word, rest in steps if word == "COPY" for n in rest.split()[:-1] if n[0] != "-"}
    assert {name.removeprefix("!") for name in let_in} == copied_names - {"/opt/wephone"}


def test_the_image_and_the_project_have_one_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert service("wephone")["image"] == f"wephone:{version[1]}"
