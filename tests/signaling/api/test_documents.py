"""What a developer of another client reads is true: the written protocol, OpenAPI, the schema of messages."""

import json
import re
import typing
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from signaling.api import rest
from signaling.exchange import REPLACED, SIGNED_OUT
from tests.signaling.api.conftest import Somebody, World
from tests.signaling.api.protocol_tables import ends, errors, routes
from wephone.protocol import messages
from wephone.protocol.codec import decode_client, decode_server, encode, json_schema
from wephone.protocol.messages import AnyClientMessage, AnyServerMessage

PROTOCOL = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
EXAMPLES = re.findall(r"^```json (client|server)\n(.*?)\n```$", PROTOCOL, re.MULTILINE | re.DOTALL)


def types_of(union: Any) -> set[str]:
    models = typing.get_args(typing.get_args(union)[0])
    return {model.model_fields["type"].default for model in models}


@pytest.mark.parametrize(("side", "text"), EXAMPLES)
def test_an_example_is_a_message_as_the_server_has_it(side: str, text: str) -> None:
    if side == "client":
        decode_client(text)
        return
    message = decode_server(text)
    assert message is not None
    assert set(json.loads(text)) <= set(json.loads(encode(message))), "the server sends no such field"


def test_every_message_has_an_example() -> None:
    shown: dict[str, set[str]] = {"client": set(), "server": set()}
    for side, text in EXAMPLES:
        shown[side].add(json.loads(text)["type"])
    assert shown["client"] == types_of(AnyClientMessage)
    assert shown["server"] == types_of(AnyServerMessage)


@pytest.mark.parametrize("table", [errors, ends, routes])
def test_the_tables_are_those_of_the_code(table: Any) -> None:
    assert table() in PROTOCOL


def test_the_figures_are_those_of_the_code() -> None:
    for text in (f"| {REPLACED} |", f"| {SIGNED_OUT} |", f"at most {messages.MAX_FRAME // 1024} KiB"):
        assert text in PROTOCOL
    assert f"At most {messages.MAX_TEXT} characters" in PROTOCOL


async def test_the_description_of_http_is_a_good_openapi_document(world: World) -> None:
    document = (await world.stranger().get("/api/openapi.json")).json
    assert document["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in rest.CALLERS if not route.is_file}
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]
    for operation in document["paths"]["/api/account"].values():
        assert operation["summary"]
        assert "application/problem+json" in operation["responses"]["default"]["content"]


async def test_the_description_for_operators_is_a_good_one_too(world: World) -> None:
    document = (await Somebody(world.http, world.operators).get("/api/openapi.json")).json
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in rest.OPERATORS if not route.is_file}
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]


async def test_answers_are_as_they_are_described(world: World) -> None:
    alice = await world.user("alice")
    document = (await alice.get("/api/openapi.json")).json
    for path in (
        "/api/account",
        "/api/sessions",
        "/api/contacts",
        "/api/blocked",
        "/api/history/calls",
        "/api/turn",
    ):
        response = document["paths"][path]["get"]["responses"]["200"]
        schema = {**response["content"]["application/json"]["schema"], "components": document["components"]}
        jsonschema.validate((await alice.get(path)).json, schema)
    refusal = await alice.get("/api/history/calls?limit=x")
    problem = {**document["components"]["schemas"]["Problem"], "components": document["components"]}
    jsonschema.validate(refusal.json, problem)


async def test_the_schema_of_messages_is_served(world: World) -> None:
    answer = await world.stranger().get("/api/protocol.json")
    assert answer.json == json_schema()
    jsonschema.Draft202012Validator.check_schema(answer.json)
    for side, text in EXAMPLES:
        schema = {**answer.json["properties"][side], "$defs": answer.json["$defs"]}
        jsonschema.validate(json.loads(text), schema)
