"""OpenAPI 3.1 from routes and models: nothing in it is written by hand twice."""

import re
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from signaling.api.routes import Route, Rule

REF = "#/components/schemas/{model}"
PARAMETER = re.compile(r"\{(\w+)\}")

PROBLEM = {
    "type": "object",
    "description": "What was wrong (RFC 9457). `code` is for programs, `detail` for people.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "field": {"type": "string", "description": "which field was wrong"},
        "instance": {"type": "string", "description": "the id under which the server has logged it"},
        "text": {
            "type": "object",
            "description": "with 451: the sentence in each language",
            "properties": {"en": {"type": "string"}, "zh-CN": {"type": "string"}},
        },
        "decision": {"type": ["string", "null"], "description": "with 451: the operator's decision"},
        "permit_needed": {"type": ["string", "null"]},
        "alternative": {
            "type": ["object", "null"],
            "description": "with 451: what can be done instead, in each language",
            "properties": {"en": {"type": "string"}, "zh-CN": {"type": "string"}},
        },
    },
}

ABOUT_RULES = {
    Rule.ANYONE: "No credentials are needed.",
    Rule.SIGNED_IN_ONCE: "Also with a password that has to be changed first.",
    Rule.SIGNED_IN: "For accounts that are signed in.",
    Rule.AUDITOR: "For operators' and auditors' accounts.",
    Rule.OPERATOR: "For operators' accounts.",
}

ABOUT_PROOF = "A browser's session says its password first: POST /api/operator/proof."
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "the register's epoch that was looked at, in quotes; 412 if it has passed",
}


@lru_cache(maxsize=4)
def openapi(routes: tuple[Route, ...], title: str, version: str, cookie: str) -> dict[str, Any]:
    """The description of these routes."""
    schemas: dict[str, Any] = {"Problem": PROBLEM}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.is_file:
            continue
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": cookie},
            },
        },
    }


def operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    """One operation; the models that it uses enter `schemas`."""
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": ABOUT_RULES[route.rule] + (f" {ABOUT_PROOF}" if route.proven else ""),
        "security": [] if route.rule is Rule.ANYONE else [{"token": []}, {"cookie": []}],
        "responses": {
            str(route.status): answer(route, schemas),
            "default": {
                "description": "A problem.",
                "content": {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}},
            },
        },
    }
    parameters = [*path_parameters(route.path), *query_parameters(route.query)]
    if route.proven:
        parameters.append(IF_MATCH)
    if parameters:
        found["parameters"] = parameters
    if route.body is not None:
        content = {"application/json": {"schema": reference(route.body, schemas, "validation")}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def answer(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    """What comes back when all is well."""
    found: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.answer is not None:
        schema = reference(route.answer, schemas, "serialization")
        found["content"] = {"application/json": {"schema": schema}}
    return found


def path_parameters(path: str) -> Iterable[dict[str, Any]]:
    """The `{names}` in a path."""
    for name in PARAMETER.findall(path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def query_parameters(model: type[BaseModel] | None) -> Iterable[dict[str, Any]]:
    """The fields of a query."""
    if model is None:
        return
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": field}


def reference(model: type[BaseModel], schemas: dict[str, Any], mode: Any) -> dict[str, Any]:
    """A reference to the model's schema, which enters `schemas` with those that it uses."""
    schema = model.model_json_schema(ref_template=REF, mode=mode)
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return {"$ref": REF.format(model=model.__name__)}
