"""A network of the test's own, by the kernel's namespaces."""

import os


def loopback_alone() -> list[str]:
    """Arguments before a program's: its machine has the loopback interface and no other.

    An ordinary user needs a user namespace for that, which root does without: a chroot allows none.
    """
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *as_root, "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
