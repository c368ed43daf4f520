"""What leads to what in the code, read and not run: who calls whom, who makes which event, what that starts.

A node is a function (`signaling.switch:Switch.place`) or a class of which a value can be made
(`signaling.core.events:Allowed`). A function leads to what it calls, mentions or makes. What stands in a
`case Allowed():`, or under `Allowed` in a table, is led to by whoever makes an `Allowed`.
"""

import ast
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BufferedRandom
from pathlib import Path
from socket import socket

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Methods that files, sockets and containers have too: on something unknown they are taken for theirs.
EVERYDAY = {*dir(dict), *dir(list), *dir(str), *dir(set), *dir(deque), *dir(BufferedRandom), *dir(socket)}


@dataclass(frozen=True, slots=True)
class Edge:
    """`gated`: who goes this way has asked the gate before, in the same function, and looked at its word."""

    source: str
    target: str
    gated: bool
    line: int
    called: bool = False  # not only mentioned


@dataclass(slots=True)
class Module:
    """One file: its tree, and what its names stand for."""

    name: str
    path: Path
    tree: ast.Module
    names: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class House:
    """All files that were read, with what they define."""

    modules: dict[str, Module] = field(default_factory=dict)
    functions: dict[str, tuple[Module, Function]] = field(default_factory=dict)
    classes: dict[str, tuple[Module, ast.ClassDef]] = field(default_factory=dict)
    methods: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by bare name
    fields: dict[str, dict[str, str]] = field(
        default_factory=lambda: defaultdict(dict)
    )  # class -> name -> class
    imports: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    reach: dict[str, set[str]] = field(default_factory=dict)

    def read(self, root: Path, rooms: Iterable[str]) -> "House":
        """Read every file of these rooms."""
        for path in sorted(path for room in rooms for path in (root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.modules[name] = Module(name, path.relative_to(root), ast.parse(path.read_text()))
        for module in self.modules.values():
            self._define(module)
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ImportFrom) and node.module:
                    for alias in node.names:
                        found = self._imported(node.module, alias.name)
                        module.names[alias.asname or alias.name] = found
                        self.imports[module.name].add(found.partition(":")[0])
                elif isinstance(node, ast.Import):
                    for alias in node.names:
                        module.names[alias.asname or alias.name.partition(".")[0]] = alias.name
        for module in self.modules.values():
            self._rename(module)
        for name, (module, node) in self.classes.items():
            self._fields(name, module, node)
        return self

    def _define(self, module: Module) -> None:
        for node in module.tree.body:
            if isinstance(node, Function):
                self.functions[f"{module.name}:{node.name}"] = (module, node)
                module.names[node.name] = f"{module.name}:{node.name}"
            elif isinstance(node, ast.ClassDef):
                module.names[node.name] = f"{module.name}:{node.name}"
                self.classes[f"{module.name}:{node.name}"] = (module, node)
                for each in node.body:
                    if isinstance(each, Function):
                        self.functions[f"{module.name}:{node.name}.{each.name}"] = (module, each)
                        self.methods[each.name].append(f"{module.name}:{node.name}.{each.name}")

    def _rename(self, module: Module) -> None:
        """Other names that a module gives to what it knows, as `go = Agent.call`."""
        for node in module.tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name() | ast.Attribute() as value):
                    if found := self.resolve(module, value):
                        module.names[name] = found

    def _imported(self, module: str, name: str) -> str:
        whole = f"{module}.{name}"
        if whole in self.modules:
            return whole
        there = self.modules.get(module)
        return there.names.get(name, f"{module}:{name}") if there else f"{module}:{name}"

    def _fields(self, name: str, module: Module, node: ast.ClassDef) -> None:
        """Classes of its fields: as annotated, or as `__init__` takes what it keeps."""
        known = self.fields[name]
        for each in node.body:
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                known[each.target.id] = self.annotated(module, each.annotation)
            elif isinstance(each, Function) and each.returns and _is_property(each):
                known[each.name] = self.annotated(module, each.returns)
        if made := self.functions.get(f"{name}.__init__"):
            scope = Scope(self, module, name, made[1])
            for target, value in _assignments(made[1]):
                if isinstance(target, ast.Attribute) and value is not None:
                    known.setdefault(target.attr, scope.type_of(value))
            for inner in ast.walk(made[1]):
                if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Attribute):
                    known[inner.target.attr] = self.annotated(module, inner.annotation)

    def known_in(self, module: str) -> set[str]:
        """The modules that this one imports, and those that they import: it can meet no other's objects."""
        if module not in self.reach:
            found, todo = {module}, [module]
            while todo:
                new = self.imports.get(todo.pop(), set()) - found
                found |= new
                todo += new
            self.reach[module] = found
        return self.reach[module]

    def annotated(self, module: Module, annotation: ast.expr | None) -> str:
        """The class that an annotation names; of a container, the class of what is in it; "" if none."""
        found = ""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            annotation = ast.parse(annotation.value, mode="eval").body
        for node in ast.walk(annotation) if annotation else ():
            resolved = self.resolve(module, node) if isinstance(node, ast.expr) else ""
            found = resolved if resolved in self.classes else found
        return found

    def resolve(self, module: Module, node: ast.expr) -> str:
        """What a name, or a name in an imported module, stands for; "" if for nothing of ours."""
        if isinstance(node, ast.Name):
            return module.names.get(node.id, "")
        if isinstance(node, ast.Attribute):
            owner = self.resolve(module, node.value)
            if owner in self.modules:
                return self.modules[owner].names.get(node.attr, "")
            if owner in self.classes:
                return self.method(owner, node.attr)
        return ""

    def method(self, owner: str, name: str) -> str:
        """The method that a class has, or inherits; "" if none."""
        if f"{owner}.{name}" in self.functions:
            return f"{owner}.{name}"
        module, node = self.classes[owner]
        for base in node.bases:
            above = self.resolve(module, base)
            if above in self.classes and (found := self.method(above, name)):
                return found
        return ""

    def field(self, owner: str, name: str) -> str:
        """The class of a field, also of an inherited one."""
        if name in self.fields[owner]:
            return self.fields[owner][name]
        module, node = self.classes[owner]
        above = (self.resolve(module, base) for base in node.bases)
        return next(
            (found for base in above if base in self.classes and (found := self.field(base, name))), ""
        )


@dataclass(slots=True)
class Scope:
    """A function, with the classes of its parameters and variables as far as they can be told."""

    house: House
    module: Module
    owner: str  # its class, or ""
    node: Function
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arguments = self.node.args
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            self.variables[each.arg] = self.house.annotated(self.module, each.annotation)
        if self.owner and arguments.args:
            self.variables[arguments.args[0].arg] = self.owner
        for target, value in _assignments(self.node):
            if isinstance(target, ast.Name) and value is not None and not self.variables.get(target.id):
                self.variables[target.id] = self.type_of(value)

    def type_of(self, node: ast.expr) -> str:
        """The class of an expression; of a container, of what is in it; "" if it cannot be told."""
        match node:
            case ast.Name(id=name) if name in self.variables:
                return self.variables[name]
            case ast.Attribute(value=value, attr=name):
                owner = self.type_of(value)
                return self.house.field(owner, name) if owner else ""
            case ast.Subscript(value=value) | ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.type_of(value)
            case ast.Call(func=func):
                target = self.target(func)
                if target in self.house.classes:
                    return target
                if target in self.house.functions:
                    module, made = self.house.functions[target]
                    return self.house.annotated(module, made.returns)
                # dict.get, .values and their like give what is in it
                return self.type_of(func.value) if isinstance(func, ast.Attribute) else ""
            case ast.IfExp(body=body) | ast.BoolOp(values=[body, *_]):
                return self.type_of(body)
        return ""

    def target(self, node: ast.expr) -> str:
        """The function or class that this names; "" if it cannot be told."""
        if isinstance(node, ast.Name) and node.id in self.variables:
            return ""
        if (
            found := self.house.resolve(self.module, node)
        ) in self.house.functions or found in self.house.classes:
            return found
        if isinstance(node, ast.Attribute) and (owner := self.type_of(node.value)):
            return self.house.method(owner, node.attr)
        return ""

    def targets(self, node: ast.expr, called: bool) -> Iterable[str]:
        """All that it may be: a call on something unknown may be any method of that name."""
        if found := self.target(node):
            return (found,)
        if not called or not isinstance(node, ast.Attribute) or self.type_of(node.value):
            return ()
        client = self.module.name.startswith("wephone")  # a command talks to a server by its client
        if client or node.attr in EVERYDAY or self.house.resolve(self.module, node.value):
            return ()
        known = self.house.known_in(self.module.name)
        return [each for each in self.house.methods.get(node.attr, ()) if each.partition(":")[0] in known]


Asks = Callable[[str], bool]


def edges(house: House, asks: Asks, proof: Callable[[str], bool]) -> Iterator[Edge]:
    """Every edge out of a function.

    `asks`: does this function ask the gate? `proof`: is a value of this class a yes of it?
    """
    for name, (module, node) in house.functions.items():
        owner = name.rpartition(".")[0] if "." in name.partition(":")[2] else ""
        scope = Scope(house, module, owner, node)
        held = any(proof(each) for each in scope.variables.values() if each)
        yield from Walk(scope, name, asks).block(node.body, name, held)[0]


@dataclass(slots=True)
class Walk:
    """One function, statement by statement, with what is known of the gate's answer at each."""

    scope: Scope
    name: str
    asks: Asks
    answers: set[str] = field(default_factory=set)  # variables that hold an answer of the gate

    def block(self, body: list[ast.stmt], source: str, gated: bool) -> tuple[list[Edge], bool]:
        """The edges of these statements, and whether the gate's yes is known after them."""
        found: list[Edge] = []
        for each in body:
            more, gated = self.statement(each, source, gated)
            found += more
        return found, gated

    def statement(self, node: ast.stmt, source: str, gated: bool) -> tuple[list[Edge], bool]:
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                found = self.mentions(test, source, gated)
                looked = gated or self.looks(test)
                one, _ = self.block(body, source, looked)
                other, _ = self.block(orelse, source, looked)
                return [*found, *one, *other], looked if _leaves(body) else gated
            case ast.Match(subject=subject, cases=cases):
                found = self.mentions(subject, source, gated)
                looked = gated or self.looks(subject)
                for case in cases:
                    for made in self.classes(case.pattern) or [source]:
                        found += self.block(case.body, made, looked)[0]
                return found, gated
            case ast.With(body=body) | ast.AsyncWith(body=body):
                found = [edge for item in node.items for edge in self.mentions(item, source, gated)]
                inside, gated = self.block(body, source, gated)
                return [*found, *inside], gated
            case ast.Try(body=body, handlers=handlers):
                inside, after = self.block([*body, *node.orelse], source, gated)
                failed = [edge for each in handlers for edge in self.block(each.body, source, gated)[0]]
                at_last, _ = self.block(node.finalbody, source, gated)
                return [*inside, *failed, *at_last], after if all(
                    _leaves(h.body) for h in handlers
                ) else gated
            case ast.For(body=body) | ast.AsyncFor(body=body) | ast.While(body=body):
                head = node.test if isinstance(node, ast.While) else node.iter
                inside, _ = self.block([*body, *node.orelse], source, gated)
                return [*self.mentions(head, source, gated), *inside], gated
            case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
                return self.block(body, source, gated)[0], gated
            case _:
                found = self.mentions(node, source, gated)
                self.remember(node)
                return found, gated

    def mentions(self, node: ast.AST, source: str, gated: bool) -> list[Edge]:
        """What an expression or simple statement calls, makes or hands on."""
        if isinstance(node, ast.IfExp):
            gated = gated or self.looks(node.test)
        found, inner = [], list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id == "isinstance":
                return []  # a class that is asked for is not made
            if (spelt := _spelt(node)) is not None:
                return self.mentions(spelt, source, gated)
            if (spelt := _spelt(node.func)) is not None:
                return self.mentions(
                    ast.copy_location(ast.Call(spelt, node.args, node.keywords), node), source, gated
                )
            targets = [*self.scope.targets(node.func, called=True), *_sip(node), *self.replaced(node)]
            found = [Edge(source, each, gated, node.lineno, called=True) for each in targets]
            inner = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            inner += [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Name | ast.Attribute):
            targets = [*self.scope.targets(node, called=False)]
            found = [Edge(source, each, gated, node.lineno) for each in targets]
        return [*found, *(edge for each in inner for edge in self.mentions(each, source, gated))]

    def replaced(self, node: ast.Call) -> list[str]:
        """The class of which `dataclasses.replace` makes another value."""
        named = self.scope.module.names.get(node.func.id, "") if isinstance(node.func, ast.Name) else ""
        whole = named or ast.unparse(node.func)
        if whole.replace(":", ".") not in ("dataclasses.replace", "copy.replace") or not node.args:
            return []
        made = self.scope.type_of(node.args[0])
        return [made] if made in self.scope.house.classes else []

    def remember(self, node: ast.stmt) -> None:
        """Does this statement keep an answer of the gate?"""
        for target, value in _assignments(node):
            call = value.value if isinstance(value, ast.Await) else value
            wrapped = [each for each in ast.walk(call) if isinstance(each, ast.Call)] if call else []
            if isinstance(target, ast.Name) and any(
                self.asks(self.scope.target(each.func)) for each in wrapped
            ):
                self.answers.add(target.id)

    def looks(self, test: ast.expr) -> bool:
        """Does a test look at an answer of the gate?"""
        return any(isinstance(each, ast.Name) and each.id in self.answers for each in ast.walk(test))

    def classes(self, pattern: ast.pattern) -> list[str]:
        """The classes of ours that a case is for."""
        named = [each.cls for each in ast.walk(pattern) if isinstance(each, ast.MatchClass)]
        found = (self.scope.house.resolve(self.scope.module, each) for each in named)
        return [each for each in found if each in self.scope.house.classes]


def _spelt(node: ast.AST) -> ast.Attribute | None:
    """`x.name`, where the code says `getattr(x, "name")`."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str() as name), *_]):
            return ast.copy_location(ast.Attribute(value, name, ast.Load()), node)
    return None


def _sip(node: ast.Call) -> list[str]:
    """The method of a SIP request that is made: `Request("INVITE", ...)`, `dialog.request("INVITE", ...)`."""
    made = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if made not in ("Request", "request"):
        return []
    named = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "method")]
    return [f"SIP {each.value!s}" for each in named if isinstance(each, ast.Constant)]


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    for each in ast.walk(node):
        match each:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                yield from zip(names, values, strict=False)
            case ast.Assign(targets=[target], value=value) | ast.For(target=target, iter=value):
                yield target, value
            case ast.AnnAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                yield target, value
            case ast.comprehension(target=target, iter=value):
                yield target, value


def _is_property(node: Function) -> bool:
    return any(
        isinstance(each, ast.Name) and each.id in ("property", "cached_property")
        for each in node.decorator_list
    )


def _leaves(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue)
