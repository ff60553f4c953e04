"""Intervals are drawn by document, seeded, and honest when nothing is left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_redaction.evaluation.bootstrap import estimate, estimate_share

DOCUMENTS = st.lists(
    st.integers(0, 20).flatmap(
        lambda whole: st.tuples(st.integers(0, whole), st.just(whole))
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)  # the machine's pace is no matter here
@given(DOCUMENTS)
def test_a_share_lies_in_its_interval_of_shares(
    documents: list[tuple[int, int]],
) -> None:
    counts, wholes = zip(*documents, strict=True)
    figure = estimate(counts, wholes, rounds=50)
    if not sum(wholes):
        assert (figure.value, figure.low, figure.high) == (None, None, None)
        return
    assert figure.value == sum(counts) / sum(wholes)
    assert figure.low is not None
    assert figure.high is not None
    assert 0 <= figure.low <= figure.high <= 1


def test_the_same_figures_give_the_same_interval() -> None:
    counts, wholes = [3, 4, 1, 0, 9], [4, 4, 2, 1, 10]
    assert estimate(counts, wholes) == estimate(counts, wholes)
    other = estimate(counts, wholes, seed=1)
    assert other.value == estimate(counts, wholes).value


def test_documents_are_drawn_and_not_spans() -> None:
    """One bad document of ten: drawn by span the interval would be far narrower."""
    together = estimate([100] * 9 + [0], [100] * 10)
    spread = estimate([90] * 10, [100] * 10)
    assert together.value == spread.value == 0.9
    assert together.low is not None
    assert together.low <= 0.75
    assert spread.low == pytest.approx(0.9)


def test_a_rate_is_scaled() -> None:
    figure = estimate([1, 2], [1000, 1000], scale=1000)
    assert figure.value == 1.5
    assert (figure.low, figure.high) == (1.0, 2.0)


def test_the_interval_is_about_as_wide_as_theory_says() -> None:
    counts = np.random.default_rng(5).binomial(1, 0.8, 400).tolist()
    figure = estimate(counts, [1] * 400)
    assert figure.low is not None
    assert figure.high is not None
    assert figure.high - figure.low == pytest.approx(
        2 * 1.96 * (0.8 * 0.2 / 400) ** 0.5, rel=0.15
    )


def test_counts_and_wholes_must_pair() -> None:
    with pytest.raises(ValueError, match="as many"):
        estimate([1], [1, 2])


@pytest.mark.parametrize(("flags", "high"), [([False] * 60, 0.05), ([False] * 2, 1.0)])
def test_no_leak_in_n_documents_is_at_most_three_in_n(
    flags: list[bool], high: float
) -> None:
    figure = estimate_share(flags)
    assert (figure.value, figure.low, figure.high) == (0.0, 0.0, high)


def test_a_share_of_documents() -> None:
    figure = estimate_share([True, False, False, False])
    assert (figure.value, figure.count, figure.of) == (0.25, 1, 4)
