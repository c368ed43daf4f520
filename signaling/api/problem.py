"""Errors of HTTP as problem documents (RFC 9457): a code for programs, a sentence for people."""

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from wephone.protocol.codec import shortened, wrong

JSON_PROBLEM = "application/problem+json"


class Problem(Exception):
    """The request is answered with an error. `code` and `detail` are for whoever asked."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.field = status, code, detail, field
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def response(self) -> web.Response:
        """The document."""
        title = HTTPStatus(self.status).phrase
        document = {
            "type": "about:blank",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **({} if self.field is None else {"field": self.field}),
            **self.more,
        }
        return web.Response(
            status=self.status,
            reason=title,
            body=json.dumps(document, ensure_ascii=False).encode(),
            content_type=JSON_PROBLEM,
            headers=self.headers,
        )


def slow_down(wait: float) -> Problem:
    """Too many requests: when to come back."""
    seconds = max(1, math.ceil(wait))
    return Problem(
        429, "slow_down", f"too many requests: wait {seconds} s", headers={"Retry-After": str(seconds)}
    )


def unreadable(error: ValidationError) -> Problem:
    """The first thing wrong with a body or a query, by field and value, not by our classes."""
    first = error.errors(include_url=False, include_context=True)[0]
    field = ".".join(str(part) for part in first["loc"]) or None
    match first["type"]:
        case "extra_forbidden":
            field = shortened(field or "").strip("'")
            return Problem(400, "unknown_field", f"there is no field `{field}` here", field=field)
        case "json_invalid" | "model_type" | "model_attributes_type" | "dict_type":
            return Problem(400, "malformed", "the body is not a JSON object")
        case "missing":
            return Problem(400, "missing_field", f"`{field}` is missing", field=field)
        case _:
            sentence = wrong(first)
            return Problem(400, "bad_value", f"`{field or 'body'}`: {sentence}", field=field)
