"""Two lists of the same calls: what matches is the same call, and nothing that does not match is lost."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from licensing.numbering import Number, canonicalise, mask
from licensing.reconcile import SECOND, Carried, Outcome, Placed, Tolerance, reconcile

AT = 1_800_000_000 * SECOND
CLOSE = Tolerance()


def number(text: str = "+8613800138000") -> Number:
    found = canonicalise(text)
    assert isinstance(found, Number)
    return found


def carried(start: float, seconds: int, to: str = "+8613800138000", line: int = 2) -> Carried:
    return Carried(line, AT + round(start * SECOND), number(to), seconds)


def placed(
    start: float, seconds: float, to: str = "+8613800138000", call: str = "c", *, refused: bool = False
) -> Placed:
    at = AT + round(start * SECOND)
    answered = at + 5 * SECOND if seconds else None
    ended = at + round((5 + seconds) * SECOND) if seconds else at + 9 * SECOND
    return Placed(call, mask(number(to).address), at, answered, ended, refused)


def test_a_call_that_both_know_is_the_same_by_attempt_or_by_answer_and_give_or_take_their_clocks() -> None:
    for start in (-30, 0, 3, 5, 35):
        found = reconcile([carried(start, 60)], [placed(0, 60)], CLOSE)
        assert found.whole and len(found.pairs) == 1, start
    for start in (-31, 36):
        found = reconcile([carried(start, 60)], [placed(0, 60)], CLOSE)
        assert (len(found.carrier_alone), len(found.ours_alone)) == (1, 1), start


def test_what_one_side_alone_knows_is_listed_and_an_unanswered_call_of_ours_is_none() -> None:
    found = reconcile([carried(0, 10, "+12125550100")], [placed(0, 10), placed(90, 0)], CLOSE)
    assert [row.number.digits for row in found.carrier_alone] == ["+12125550100"]
    assert [call.seconds for call in found.ours_alone] == [10]
    assert found.unanswered == 1 and not found.whole


def test_another_duration_is_listed_and_rounding_up_is_none() -> None:
    assert reconcile([carried(0, 60)], [placed(0, 20)], Tolerance(increment=60)).whole
    assert len(reconcile([carried(0, 120)], [placed(0, 20)], Tolerance(increment=60)).durations) == 1
    assert reconcile([carried(0, 62)], [placed(0, 60)], CLOSE).whole
    assert len(reconcile([carried(0, 63)], [placed(0, 60)], CLOSE).durations) == 1
    assert len(reconcile([carried(0, 57)], [placed(0, 60)], CLOSE).durations) == 1


def test_a_refused_call_that_the_carrier_carried_is_the_first_thing_to_know() -> None:
    found = reconcile([carried(0, 60)], [placed(0, 0, refused=True)], CLOSE)
    assert len(found.refused) == 1 and not found.durations and not found.whole
    found = reconcile([carried(0, 60)], [placed(0, 0, refused=True), placed(10, 60, call="d")], CLOSE)
    assert found.whole and found.pairs[0].ours.call == "d"
    assert reconcile([], [placed(0, 0, refused=True)], CLOSE).whole


def test_a_busy_number_that_is_called_again_and_two_calls_at_once_are_told_apart_by_duration() -> None:
    found = reconcile([carried(9, 60)], [placed(0, 0, call="busy"), placed(10, 60, call="talked")], CLOSE)
    assert found.whole and found.pairs[0].ours.call == "talked" and found.unanswered == 1
    found = reconcile(
        [carried(1, 120, line=2), carried(4, 60, line=3)],
        [placed(0, 60, call="short"), placed(5, 120, call="long")],
        CLOSE,
    )
    assert found.whole
    assert [(pair.theirs.line, pair.ours.call) for pair in found.pairs] == [(2, "long"), (3, "short")]


def test_the_nearest_is_given_up_where_that_lets_both_match() -> None:
    found = reconcile([carried(-25, 60), carried(3, 60)], [placed(0, 60), placed(10, 60, call="d")], CLOSE)
    assert found.whole and len(found.pairs) == 2


def test_a_caller_is_compared_where_both_are_known() -> None:
    row, call = replace(carried(0, 60), caller="+12125550100"), placed(0, 60)
    assert reconcile([row], [call], CLOSE).whole
    assert reconcile([row], [replace(call, callers=frozenset({"+12125550100"}))], CLOSE).whole
    strange = reconcile([row], [replace(call, callers=frozenset({"+12125550199"}))], CLOSE)
    assert len(strange.callers) == 1 and not strange.whole


def test_a_number_that_everybody_calls_at_once_costs_little() -> None:
    rows = [carried(n / 100, 60, line=n) for n in range(2000)]
    calls = [placed(n / 100, 60, call=str(n)) for n in range(2000)]
    assert len(reconcile(rows, calls, CLOSE).pairs) == 2000


starts = st.integers(0, 200)
lengths = st.integers(0, 90)
numbers = st.sampled_from(["+8613800138000", "+12125550100"])


@given(
    st.lists(st.tuples(starts, lengths, numbers), max_size=12),
    st.lists(st.tuples(starts, lengths, numbers, st.booleans()), max_size=12),
)
def test_each_call_is_matched_once_or_told_and_the_order_of_rows_means_nothing(
    theirs: list[tuple[int, int, str]], ours: list[tuple[int, int, str, bool]]
) -> None:
    rows = [carried(start, seconds, to, line=n) for n, (start, seconds, to) in enumerate(theirs)]
    calls = [
        placed(start, 0 if refused else seconds, to, str(n), refused=refused)
        for n, (start, seconds, to, refused) in enumerate(ours)
    ]
    found = reconcile(rows, calls, CLOSE)
    lines = [pair.theirs.line for pair in found.pairs] + [row.line for row in found.carrier_alone]
    assert sorted(lines) == list(range(len(rows)))
    assert len({pair.ours.call for pair in found.pairs}) == len(found.pairs)
    left = len([c for c in calls if not c.refused]) - len([p for p in found.pairs if not p.ours.refused])
    assert left == len(found.ours_alone) + found.unanswered
    for pair in found.pairs:
        assert mask(pair.theirs.number.address) == pair.ours.callee
        assert CLOSE.early_or_late(pair.theirs, pair.ours) <= 30 * SECOND
    for row in found.carrier_alone:
        assert not any(
            call.callee == mask(row.number.address) and CLOSE.early_or_late(row, call) <= 30 * SECOND
            for call in _unmatched(calls, found)
        )
    assert len(reconcile(rows[::-1], calls[::-1], CLOSE).pairs) == len(found.pairs)


def _unmatched(calls: list[Placed], found: Outcome) -> list[Placed]:
    taken = {pair.ours.call for pair in found.pairs}
    return [call for call in calls if call.call not in taken]
