"""A server with trunks that is there to be killed: `python -m tests.signaling.pstn.victim FOLDER`."""

import asyncio
import json
import sys
from pathlib import Path

from signaling.app.server import start
from tests.fakes.relay import Relay
from tests.signaling.pstn.telephony import settings_in


async def serve(folder: Path) -> None:
    """Until it is killed."""
    server = await start(settings_in(folder), sound=Relay)
    sys.stdout.write(json.dumps(server.ready) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
