"""Pictures of every view of the console:  python -m tests.web.console.sheet [FOLDER [PART-OF-A-NAME]]

In both themes, both languages and four sizes, with a contact sheet for each.
"""

import asyncio
import sys
from pathlib import Path

from tests.web.console.views import on_screen, views
from tests.web.sheet import main

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "reports/console")
    asyncio.run(main(folder, "".join(sys.argv[2:3]), views(), on_screen))
