"""Compares what the packages import with the rules in `rooms.py`:  python -m tests.house.imports

It reads the packages of the current directory without importing them, and prints each import that breaks
a rule.
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import grimp
from packaging.requirements import Requirement

from tests.house import rooms

PACKAGES = ("wephone", "signaling", "licensing")


def build_graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def broken_rules(graph: grimp.ImportGraph) -> list[str]:
    return sorted(
        {
            *foreign_rooms(graph),
            *foreign_packages(graph),
            *impure_chains(graph),
            *impure_calls(graph),
            *cycles(graph),
        }
    )


def foreign_rooms(graph: grimp.ImportGraph) -> Iterator[str]:
    for importer, imported in imports(graph):
        if not is_ours(imported):
            continue
        here, there = room(importer, rooms.MAY_IMPORT), room(imported, rooms.MAY_IMPORT)
        allowed = rooms.MAY_IMPORT[here]
        outermost = rooms.OUTERMOST.get(there)
        if here == there:
            continue
        if not allowed & {there, "*"} or (outermost is not None and here not in outermost):
            yield f"{place(graph, importer, imported)}: {here} may not import {there}"


def foreign_packages(graph: grimp.ImportGraph) -> Iterator[str]:
    declared = declared_modules()
    for importer, imported in imports(graph):
        if is_ours(imported) or imported in sys.stdlib_module_names:
            continue
        where = place(graph, importer, imported)
        if rooms.COMES_WITH.get(imported, imported) not in declared:
            yield f"{where}: pyproject.toml does not declare what provides {imported}"
        limit = room(importer, rooms.OUTSIDE)
        if limit and imported not in rooms.OUTSIDE[limit]:
            yield f"{where}: {limit} may not import {imported}"
        for package, within, only in rooms.ONLY_IN:
            if (
                imported == package
                and lies_in(importer, within)
                and not any(lies_in(importer, r) for r in only)
            ):
                yield f"{where}: in {within}, only {', '.join(sorted(only))} may import {package}"


def impure_chains(graph: grimp.ImportGraph) -> Iterator[str]:
    """What a pure module imports, and what that imports: none of it may wait, read a clock or roll dice."""
    for module in pure_modules(graph):
        for impure in sorted(rooms.IMPURE & graph.modules):
            if chain := graph.find_shortest_chain(module, impure):
                yield f"{place(graph, chain[0], chain[1])}: {module} is pure: {' -> '.join(chain)}"


def impure_calls(graph: grimp.ImportGraph) -> Iterator[str]:
    for module in pure_modules(graph):
        for node in ast.walk(ast.parse(file_of(module).read_text())):
            if isinstance(node, ast.Call) and (name := called(node)) in rooms.IMPURE_CALLS:
                yield f"{file_of(module)}:{node.lineno}: {module} is pure, and calls {name}()"


def cycles(graph: grimp.ImportGraph) -> Iterator[str]:
    inward = {m: {i for i in graph.find_modules_directly_imported_by(m) if is_ours(i)} for m in ours(graph)}
    try:
        TopologicalSorter(inward).prepare()
    except CycleError as error:
        yield f"{file_of(error.args[1][-1])}: import cycle: {' -> '.join(reversed(error.args[1]))}"


def imports(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    for importer in ours(graph):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            yield importer, imported


def ours(graph: grimp.ImportGraph) -> list[str]:
    return sorted(m for m in graph.modules if is_ours(m))


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def pure_modules(graph: grimp.ImportGraph) -> list[str]:
    return [m for m in ours(graph) if any(lies_in(m, pure) for pure in rooms.PURE)]


def lies_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def room(module: str, entries: dict[str, set[str]]) -> str:
    """The nearest entry at or above the module, or '' when it has none."""
    return max((entry for entry in entries if lies_in(module, entry)), key=len, default="")


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def declared_modules() -> set[str]:
    """The top-level modules of the packages that pyproject.toml names for users, with its extras."""
    declared = {normal(Requirement(text).name) for text in requires("wephone") or []}
    return {
        module
        for module, distributions in packages_distributions().items()
        if declared & {normal(d) for d in distributions}
    } | {"msgspec", "uvloop", "sounddevice", "asyncpg"} & declared  # extras that need not be installed


def normal(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


def place(graph: grimp.ImportGraph, importer: str, imported: str) -> str:
    line = graph.get_import_details(importer=importer, imported=imported)[0]["line_number"]
    return f"{file_of(importer)}:{line}"


def file_of(module: str) -> Path:
    path = Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


if __name__ == "__main__":
    broken = broken_rules(build_graph())
    print(*broken, sep="\n")  # noqa: T201
    sys.exit(bool(broken))
