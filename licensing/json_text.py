"""JSON as people write it into files: read so that nothing in it is passed over in silence. Pure."""

import json
from collections.abc import Iterable, Iterator
from typing import Any


class TwiceError(Exception):
    """A name is there twice: where, and with which value the second time."""

    def __init__(self, path: str, value: object) -> None:
        super().__init__(f"{path}: is there twice (found {value!r:.80})")
        self.path, self.value = path, value


class _Twice(dict[str, Any]):
    """An object in which a name is there twice: which, and its second value."""

    doubled: tuple[str, Any]


def parse(text: str | bytes) -> Any:
    """What the text says. TwiceError; ValueError (with line and column), RecursionError: it is no JSON."""
    document = json.loads(text, object_pairs_hook=_object)
    for steps, found in _objects(document):
        if isinstance(found, _Twice):
            name, value = found.doubled
            raise TwiceError(path_of((*steps, name)), value)
    return document


def path_of(steps: Iterable[int | str]) -> str:
    """A place in a document, as `permits[0].valid_from`; of all of it, nothing."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) == len(pairs):
        return document
    twice, seen = _Twice(document), set[str]()
    for name, value in pairs:
        if name in seen:
            twice.doubled = name, value
            break
        seen.add(name)
    return twice


def _objects(document: Any) -> Iterator[tuple[tuple[int | str, ...], dict[str, Any]]]:
    """Every object of it, and where it is, in the order of the text."""
    todo: list[tuple[tuple[int | str, ...], Any]] = [((), document)]
    while todo:
        steps, value = todo.pop()
        inner: list[tuple[int | str, Any]] = []
        if isinstance(value, dict):
            yield steps, value
            inner = list(value.items())
        elif isinstance(value, list):
            inner = list(enumerate(value))
        todo += [((*steps, step), each) for step, each in reversed(inner)]
