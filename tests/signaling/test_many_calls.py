"""A thousand running calls and one change: how soon all are decided again, and how long the loop is held."""

from pathlib import Path

import pytest

from benchmarks.revocation import Measured, least, measure


@pytest.mark.long
async def test_a_thousand_calls_are_decided_again_in_time_when_a_permit_or_the_law_changes(
    tmp_path: Path,
) -> None:
    for measured in await measure(tmp_path, 1_000, 3):
        assert is_in_time(least(measured)), measured


def is_in_time(measured: Measured) -> bool:
    """Seconds of the loop's own CPU time: what else this machine does lengthens no other."""
    return measured.decided_cpu <= 0.2 and measured.longest_cpu <= 0.02
