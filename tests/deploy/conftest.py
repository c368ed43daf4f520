"""Ports and secrets of the test's own, for the services of docker-compose.yml."""

import random
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Installation:
    """What an operator writes into .env and into the secret file, for a machine that is loopback alone."""

    folder: Path
    secret: str
    variables: dict[str, str]

    @property
    def secret_files(self) -> dict[str, Path]:
        return {name: self.folder / name for name in ("turn_secret", "janus_secret")}

    def port(self, name: str) -> int:
        return int(self.variables[name])


def free_port() -> int:
    """Free for TCP and for UDP, on both loopback addresses, at this moment."""
    while True:
        with socket.socket() as tcp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                with (
                    socket.socket(type=socket.SOCK_DGRAM) as udp,
                    socket.socket(socket.AF_INET6) as tcp6,
                    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp6,
                ):
                    udp.bind(("127.0.0.1", port))
                    tcp6.bind(("::1", port))
                    udp6.bind(("::1", port))
                    return port
            except OSError:
                continue


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    secret = secrets.token_hex(32)
    (tmp_path / "turn_secret").write_text(f"{secret}\n")
    first = random.SystemRandom().randrange(10_000, 32_000, 200)  # below the ports that the system hands out
    ports = ("WEPHONE_HTTP_PORT", "WEPHONE_HTTPS_PORT", "TURN_PORT")
    return Installation(
        tmp_path,
        secret,
        {
            "WEPHONE_DOMAIN": "localhost",
            "TURN_ADDRESS": "127.0.0.1",
            "TURN_ADDRESS6": "::1",
            "TURN_RELAY_PORTS": f"{first}-{first + 199}",
            **{name: str(free_port()) for name in ports},
        },
    )
