"""When the garbage collector looks for what nobody holds: hardly while a command loads, which makes none."""

import gc

USUAL = gc.get_threshold()

# What a command loads stays until its end. By the usual thresholds the collector looks at it hundreds of
# times while it is loaded, and again when the process ends: together a quarter of what a command costs.
LOADING = (100_000, 50, 100)


def spare_what_loads() -> None:
    """From here on a command loads what it needs."""
    gc.set_threshold(*LOADING)


def collect_as_usual() -> None:
    """All is loaded, and what follows may go on for days: calls leave cycles behind."""
    gc.freeze()
    gc.set_threshold(*USUAL)
