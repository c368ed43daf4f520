"""What the browser app has of the protocol, made from the same models that the server uses.

`python -m tests.web.generated` writes wephone/web/protocol.d.ts, the types of all messages, and
wephone/web/app/reasons.js, the sentences of all reasons; and from those of licensing
wephone/web/console/denials.js, why calls were decided as they were. A test holds all to what it would write.
"""

import json
from pathlib import Path
from typing import Any

from licensing.reasons import Reason, reason_text
from wephone.protocol.codec import json_schema
from wephone.protocol.reasons import END_TEXTS, ERROR_TEXTS

WEB = Path(__file__).parents[2] / "wephone" / "web"
HEAD = "// Made by `python -m tests.web.generated` from the models in wephone/protocol. Not to be edited.\n"
Rows = list[tuple[str, tuple[str, str]]]
SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def name_of(reference: str) -> str:
    """The type's name: models of the two directions share those that are the same."""
    return reference.rpartition("/")[2].partition(".")[2]


def shape(schema: dict[str, Any]) -> str:
    """The type of a value that this schema describes."""
    if "$ref" in schema:
        return name_of(schema["$ref"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for kind in ("oneOf", "anyOf"):
        if kind in schema:
            return " | ".join(dict.fromkeys(map(shape, schema[kind])))
    if schema.get("type") == "array":
        return f"readonly ({shape(schema['items'])})[]"
    return SIMPLE[schema["type"]]


def interface(name: str, schema: dict[str, Any]) -> str:
    """One model. What has a default may be left out, on the wire and here."""
    if "properties" not in schema:
        return f"export type {name} = {shape(schema)};"
    needed = {*schema.get("required", ()), *(key for key in schema["properties"] if key == "type")}
    fields = [
        f"  readonly {json.dumps(key) if '-' in key else key}{'' if key in needed else '?'}: {shape(field)};"
        for key, field in schema["properties"].items()
    ]
    return "\n".join([f"export interface {name} {{", *fields, "}"])


def declarations() -> str:
    """The whole file."""
    schema = json_schema()
    types: dict[str, str] = {}
    for key, body in schema["$defs"].items():
        name = key.partition(".")[2]
        written = interface(name, body)
        if types.setdefault(name, written) != written:
            raise ValueError(f"{name} differs between the directions")
    for direction, union in (("client", "ClientMessage"), ("server", "ServerMessage")):
        members = schema["properties"][direction]["oneOf"]
        types[union] = f"export type {union} =\n  | " + "\n  | ".join(shape(each) for each in members) + ";"
    return HEAD + "\n" + "\n\n".join(types[name] for name in sorted(types)) + "\n"


def reasons() -> str:
    """Why calls end and frames are refused, in English and Chinese."""
    return tables_of({"ends": [*END_TEXTS.items()], "errors": [*ERROR_TEXTS.items()]}, HEAD)


def denials() -> str:
    """Why the law or the gate allowed or refused something, in English and Chinese."""
    texts = [(reason.value, reason_text(reason)) for reason in Reason]
    head = HEAD.replace("wephone/protocol", "licensing")
    return tables_of({"decided": [(code, (text.en, text.zh_cn)) for code, text in texts]}, head)


def tables_of(tables: dict[str, Rows], head: str) -> str:
    """A module with these tables of sentences."""
    lines = [head]
    for name, texts in tables.items():
        rows = [f"  {code}: {json.dumps(list(both), ensure_ascii=False)}," for code, both in texts]
        lines += [
            "/** @type {Record<string, [string, string]>} */",
            f"export const {name} = {{",
            *rows,
            "};",
            "",
        ]
    return "\n".join(lines)


def made() -> dict[Path, str]:
    """Every file and what it says."""
    return {
        WEB / "protocol.d.ts": declarations(),
        WEB / "app" / "reasons.js": reasons(),
        WEB / "console" / "denials.js": denials(),
    }


if __name__ == "__main__":
    for file, text in made().items():
        file.write_text(text)
