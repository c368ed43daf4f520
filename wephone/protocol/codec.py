"""Text to message and back: the only JSON parsing of the wire."""

import re
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from wephone.protocol.ids import Identifier, UserId
from wephone.protocol.messages import (
    MAX_FRAME,
    ONE_LINE,
    SUBPROTOCOL,
    AnyClientMessage,
    AnyServerMessage,
    ClientMessage,
    ServerMessage,
)
from wephone.protocol.reasons import ErrorCode, error_text

CLIENT: TypeAdapter[AnyClientMessage] = TypeAdapter(AnyClientMessage)
SERVER: TypeAdapter[AnyServerMessage] = TypeAdapter(AnyServerMessage)


KINDS: tuple[type[Identifier], ...] = (*Identifier.__subclasses__(), UserId)  # which is a kind of Peer
SPELLINGS = {
    r"^[0-9a-f]{64}$": "64 hexadecimal digits in lower case",
    ONE_LINE: "one line of ASCII characters",
    **{kind.pattern: kind.spelling for kind in KINDS},
}
MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")  # how pydantic shows a member of an enumeration
SUBJECT = re.compile(r"^\w+ should ")  # of pydantic's sentences: its name for a type, not the field's


class PeerError(Exception):
    """The other side broke the protocol: answer it and go on."""

    def __init__(self, code: ErrorCode, detail: str = "", field: str | None = None) -> None:
        self.code = code
        self.field = field
        self.text = f"{error_text(code)}: {detail}" if detail else error_text(code)
        super().__init__(self.text)


def decode_client(frame: bytes | str) -> AnyClientMessage:
    """A client's frame as the server reads it; PeerError names the first thing wrong with it."""
    size = len(frame) if isinstance(frame, bytes) or frame.isascii() else utf8_size(frame)
    if size > MAX_FRAME:
        raise PeerError(ErrorCode.TOO_LARGE, f"{size} bytes, at most {MAX_FRAME}")
    try:
        return CLIENT.validate_json(frame)
    except ValidationError as error:
        raise peer_error(error) from None


def utf8_size(text: str) -> int:
    """Bytes on the wire; lone surrogates, which cannot be there, count like any other character."""
    return len(text.encode(errors="surrogatepass"))


def decode_server(frame: bytes | str) -> ServerMessage:
    """A server's frame as a client reads it; of a type that a later server invented, its number alone.

    Unknown fields are ignored, but every event counts. PeerError if the frame is wrong otherwise.
    """
    try:
        return SERVER.validate_json(frame, extra="ignore")
    except ValidationError as error:
        first = peer_error(error)
        if first.code is not ErrorCode.UNKNOWN_TYPE:
            raise first from None
    return invented(frame)


def invented(frame: bytes | str) -> ServerMessage:
    """The number of an event that means nothing to us: without it the next one would seem to follow a gap."""
    try:
        return ServerMessage.model_validate_json(frame, extra="ignore")
    except ValidationError as error:
        raise peer_error(error) from None


def encode(message: ClientMessage | ServerMessage) -> bytes:
    """One frame of UTF-8 JSON, without the fields that are none."""
    return message.__pydantic_serializer__.to_json(message, exclude_none=True)


def peer_error(error: ValidationError) -> PeerError:
    """What was wrong, as the protocol says it: by code, field and value, not by our classes."""
    first = error.errors(include_url=False, include_context=True)[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or None
    match first["type"]:
        case "union_tag_invalid":
            return PeerError(ErrorCode.UNKNOWN_TYPE, shortened(first["ctx"]["tag"]), "type")
        case "union_tag_not_found":
            return PeerError(ErrorCode.UNKNOWN_TYPE, "none given", "type")
        case "extra_forbidden":
            return PeerError(ErrorCode.UNKNOWN_FIELD, shortened(field or ""), shortened(field or ""))
        case "json_invalid" | "dict_type" | "model_type" | "model_attributes_type":
            return PeerError(ErrorCode.MALFORMED, wrong(first), field)
        case "string_too_long":
            return PeerError(ErrorCode.TOO_LARGE, f"`{field}` {wrong(first)}", field)
        case "too_long":
            return PeerError(ErrorCode.TOO_MANY, f"`{field}` {wrong(first)}", field)
        case _:
            return PeerError(ErrorCode.BAD_VALUE, f"`{field or 'frame'}` {wrong(first)}", field)


def wrong(detail: ErrorDetails) -> str:
    """What is wrong, so that it reads on after the field's name, in words that need none of our classes."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return "is missing"
        case "string_pattern_mismatch" if context.get("pattern") in SPELLINGS:
            return f"must be {SPELLINGS[context['pattern']]}"
        case "literal_error" | "enum" if "expected" in context:
            return "must be " + MEMBER.sub(r"\1", context["expected"])[:200]
        case "path_type":
            return "must be a path, as text"
        case "tuple_type":
            return "must be a list"
        case "too_long" if "max_length" in context:
            return f"must have at most {context['max_length']} items"
        case "too_short" if "min_length" in context:
            return f"must have at least {context['min_length']} items"
    message = SUBJECT.sub("must ", detail["msg"]).removeprefix("Value error, ")[:200]
    return message[:1].lower() + message[1:]


def shortened(text: object) -> str:
    """At most 64 characters, quoted so that nothing in it can pass for ours."""
    whole = str(text)
    return ascii(whole if len(whole) <= 64 else whole[:61] + "...")


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of both directions, as served at /api/protocol.json."""
    definitions: dict[str, Any] = {}
    directions = {}
    for name, adapter in (("client", CLIENT), ("server", SERVER)):
        schema = adapter.json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        for model, body in schema.pop("$defs").items():
            definitions[f"{name}.{model}"] = body
        directions[name] = schema
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SUBPROTOCOL,
        "title": "The WebSocket protocol of WePhone",
        "description": "`client` is what a client sends, `server` what the server sends.",
        "properties": directions,
        "$defs": definitions,
    }
