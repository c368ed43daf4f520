"""docker-compose.yml as the tests use it: read, filled in, and its services started as local processes.

A service gets the command, the environment and the configuration files that the compose file gives it. What a
container would find at a mount point it finds in the checkout; ports, addresses and secrets are the test's.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.house.checkout import ROOT

COMPOSE = ROOT / "docker-compose.yml"
TELEPHONE = ROOT / "deploy/telephone.yml"


class Unset(Exception):
    """`${NAME:?message}`, and nobody gave NAME."""


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """The forms that our file uses: ${NAME}, ${NAME:-default}, ${NAME:?message}."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if variables.get(name):
            return variables[name]
        if kind == "?":
            raise Unset(f"{name} {rest}")
        return rest or ""

    return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", value, text)


def filled_in(value: Any, variables: Mapping[str, str]) -> Any:
    match value:
        case str():
            return interpolate(value, variables)
        case dict():
            return {name: filled_in(inner, variables) for name, inner in value.items()}
        case list():
            return [filled_in(inner, variables) for inner in value]
        case _:
            return value


class Reset:
    """`!reset`: what an earlier file says of this does not hold."""


class Loader(yaml.SafeLoader):
    """Reads that too."""


Loader.add_constructor("!reset", lambda loader, node: Reset())


def read_compose(path: Path = COMPOSE) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load(path.read_text(), Loader)
    return read


def joined(before: Any, after: Any) -> Any:
    """Two files of `docker compose -f ONE -f OTHER`: mappings are joined, lists too, the rest is replaced."""
    match before, after:
        case dict(), dict():
            both = {**before, **{name: joined(before.get(name), value) for name, value in after.items()}}
            return {name: value for name, value in both.items() if not isinstance(value, Reset)}
        case list(), list():
            return [*before, *after]
        case _:
            return after


def read_with_telephone() -> dict[str, Any]:
    """docker-compose.yml and deploy/telephone.yml together."""
    both: dict[str, Any] = joined(read_compose(), read_compose(TELEPHONE))
    return both


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the file, filled in."""

    name: str
    command: list[str]
    environment: dict[str, str]
    mounts: dict[str, Path]  # path in the container -> path in the checkout

    @classmethod
    def read(cls, name: str, variables: Mapping[str, str], secrets: Mapping[str, Path]) -> "Service":
        """`secrets` says which file of the test stands for which secret of the compose file."""
        service = filled_in(read_compose()["services"][name], variables)
        mounts = {f"/run/secrets/{secret}": secrets[secret] for secret in service.get("secrets", [])}
        for volume in service.get("volumes", []):
            source, target, *_ = volume.split(":")
            if source.startswith("."):
                mounts[target] = ROOT / source
        command = [*service.get("entrypoint", []), *service.get("command", [])]
        return cls(name, command, service["environment"], mounts)

    def outside(self, text: str) -> str:
        """A path in the container, as the path in the checkout."""
        for inside, path in self.mounts.items():
            if text == inside or text.startswith(f"{inside}/"):
                return f"{path}{text[len(inside) :]}"
        return text

    @contextmanager
    def running(self, folder: Path, **instead: str) -> Iterator[subprocess.Popen[bytes]]:
        """The service as a process of this machine, while the block runs; `instead` replaces environment."""
        environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"]),
            "HOME": str(folder),
            **{name: self.outside(str(value)) for name, value in self.environment.items()},
            **instead,
        }
        with (
            (folder / f"{self.name}.log").open("wb") as log,
            subprocess.Popen(
                [self.outside(word) for word in self.command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=30)
                finally:
                    process.kill()
