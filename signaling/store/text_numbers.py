"""The numbers that texts get after a restore: above all that any client may have seen.

A client drops what has a number at or below that of the last text it has. So numbers that were given out
after the backup must not come again, be the database that knew them there or gone.
"""

import sqlite3
import time

A_SECOND = 4_000  # texts that all nodes accept, on average since 1970: far fewer. 53 bits hold it beyond 2050

USED = "SELECT value FROM counter WHERE name = 'message'"


def used_in(connection: sqlite3.Connection) -> int:
    """The number of the newest text that this database has accepted; 0 if it cannot say."""
    try:
        found = connection.execute(USED).fetchone()
    except sqlite3.Error:
        return 0
    return int(found[0]) if found else 0


def go_on_above(connection: sqlite3.Connection, used: int) -> None:
    """Let the next text of a backup that is restored now have a number that nobody has seen."""
    by_now = time.time_ns() * A_SECOND // 10**9
    connection.execute("UPDATE counter SET value = max(value, ?, ?) WHERE name = 'message'", (used, by_now))
