"""What the tables of the code lead to: the class that a row stands under, to the function that it names."""

import ast
from collections.abc import Iterator

from tests.house.flow import Edge, House, Module


def edges(house: House) -> Iterator[Edge]:
    """Every edge out of a class that a table has."""
    for module in house.modules.values():
        yield from edges_of(house, module)


def edges_of(house: House, module: Module) -> Iterator[Edge]:
    """Tables by class: the class leads to the function that it stands by, or that a `row` names.

    In the table of a call a row is gated in every phase that no call reaches without the gate's yes.
    """
    tables = [node for node in ast.walk(module.tree) if isinstance(node, ast.Dict)]
    below = {id(value) for table in tables for value in table.values}
    for node in (table for table in tables if id(table) not in below):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(value, ast.Dict) and key is not None:
                gated = ast.unparse(key) not in ungated_phases(node)
                for event, row in zip(value.keys, value.values, strict=True):
                    yield from _entry(house, module, event, row, gated)
            else:
                yield from _entry(house, module, key, value, False)


def _entry(
    house: House, module: Module, key: ast.expr | None, value: ast.expr, gated: bool
) -> Iterator[Edge]:
    made = house.resolve(module, key) if key is not None else ""
    if made not in house.classes:
        return
    if (found := house.resolve(module, value)) in house.functions:
        yield Edge(made, found, gated, value.lineno)
    elif isinstance(value, ast.Call) and value.args and isinstance(value.args[0], ast.Constant):
        room, step = module.name.rpartition(".")[0], f":{value.args[0].value!s}"
        for each in house.functions:
            if each.startswith(room) and each.endswith(step):
                yield Edge(made, each, gated, value.lineno)


def ungated_phases(table: ast.Dict) -> set[str]:
    """The phases of a table of phases to which rows lead from the first without the event `Allowed`."""
    leads: dict[str, set[str]] = {}
    for phase, rows in zip(table.keys, table.values, strict=True):
        if phase is not None and isinstance(rows, ast.Dict):
            to = leads.setdefault(ast.unparse(phase), set())
            for event, row in zip(rows.keys, rows.values, strict=True):
                if isinstance(row, ast.Call) and event is not None and ast.unparse(event) != "Allowed":
                    to |= {ast.unparse(each) for each in row.args[1:]}
    found: set[str] = set()
    todo = list(leads)[:1]
    while todo:
        here = todo.pop()
        if here not in found:
            found.add(here)
            todo += leads.get(here, ())
    return found
