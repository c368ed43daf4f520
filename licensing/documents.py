"""What operators file, read from text: taken whole, or refused with path, fault and value. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from licensing.json_text import TwiceError, parse, path_of
from licensing.permit import SPELLINGS, Document, Permit, StatusEvent, Toggle

LARGEST = 64 * 1024  # bytes of a document
_MOMENT = "must be a time with its offset, as `2026-11-30T00:00:00+08:00`"
_IN_WORDS = {  # pydantic's faults that a person should not have to look up
    "model_type": "must be a JSON object",
    "timezone_aware": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_parsing": _MOMENT,
    "date_from_datetime_parsing": "is no date of the calendar",
    "date_parsing": "is no date of the calendar",
}
D = TypeVar("D", bound=Document)


class ChangeError(Exception):
    """The change is refused whole: where in the document, what is wrong, and the value found there.

    Nowhere (an empty path) if it is refused for who asks.
    """

    def __init__(self, path: str, fault: str, value: object = None) -> None:
        found = "" if value is None else f" (found {value!r:.80})"
        super().__init__(f"{path}: {fault}{found}" if path else f"{fault}{found}")
        self.path, self.fault, self.value = path, fault, value


@contextmanager
def within(path: str) -> Iterator[None]:
    """What is wrong in here is wrong in that part of a longer document."""
    try:
        yield
    except ChangeError as error:
        inner = "" if error.path == "document" else f".{error.path}"
        raise ChangeError(f"{path}{inner}", error.fault, error.value) from None


def read_permit(document: str | bytes | Mapping[str, Any]) -> Permit:
    """A permit from its file or from parsed JSON. ChangeError names path and value."""
    return read(Permit, document)


def read_toggle(document: str | bytes | Mapping[str, Any]) -> Toggle:
    """A toggle, likewise."""
    return read(Toggle, document)


def read_event(document: Mapping[str, Any]) -> StatusEvent:
    """A status event, likewise."""
    return read(StatusEvent, document)


def read(model: type[D], document: str | bytes | Mapping[str, Any]) -> D:
    """One document of this kind. ChangeError, with the first thing that is wrong with it."""
    try:
        if isinstance(document, str | bytes):
            document = parsed(document)
        return model.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        # A field that is misspelt is missing too: what it was spelt as says more.
        first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
        value = first["input"] if first["type"] != "missing" else None
        raise ChangeError(path_of(first["loc"]) or "document", _fault(model, first), value) from None


def parsed(text: str | bytes, largest: int = LARGEST) -> Any:
    """JSON in which no name is there twice; ChangeError if it is none."""
    if len(text) > largest:
        raise ChangeError("document", f"longer than {largest} bytes")
    try:
        return parse(text)
    except TwiceError as error:
        raise ChangeError(error.path, "is there twice", error.value) from None
    except (ValueError, RecursionError) as error:  # JSON's own errors carry line and column
        raise ChangeError("document", f"is no JSON: {error}") from None


def _fault(model: type[Document], first: Any) -> str:
    if first["type"] == "string_pattern_mismatch":
        return SPELLINGS[first["ctx"]["pattern"]]
    if first["type"] in _IN_WORDS:
        return _IN_WORDS[first["type"]]
    if first["type"] != "extra_forbidden":
        return str(first["msg"]).removeprefix("Value error, ")
    *way, name = first["loc"]
    inner = _at(model, way)
    known = [] if inner is None else [field.alias or name for name, field in inner.model_fields.items()]
    near = get_close_matches(str(name), known, 1)
    return f"is no field of it; did you mean `{near[0]}`?" if near else "is no field of it"


def _at(model: type[Document], way: Sequence[int | str]) -> type[Document] | None:
    """The kind of document that is at this place of another."""
    found: type[Document] | None = model
    for step in way:
        if isinstance(step, str) and found is not None:
            named = (field for name, field in found.model_fields.items() if step in (name, field.alias))
            found = next((_document_in(field.annotation) for field in named), None)
    return found


def _document_in(annotation: Any) -> type[Document] | None:
    """The kind of document that an annotation speaks of, as one or in a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return annotation
    return next(filter(None, map(_document_in, get_args(annotation))), None)
