"""A table of rules answers with its first row that applies."""

from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.rules import NO_SCORE, Rule, Score, always, score_by

ROWS = st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.text(max_size=5)))


@given(ROWS)
def test_the_first_row_that_applies_decides(
    rows: list[tuple[bool, float, str]],
) -> None:
    table = [
        Rule(lambda _, applies=applies: applies, score, reason)  # type: ignore[misc]
        for applies, score, reason in rows
    ]
    expected = next(((s, r) for applies, s, r in rows if applies), NO_SCORE)
    assert score_by(table, "a view") == expected


def test_later_rows_are_not_asked() -> None:
    asked: list[str] = []
    table = [
        Rule(asked.append, 0.9, "answers nothing"),
        Rule(always, 0.5, "the rest"),
        Rule(lambda view: asked.append(view + "!"), 0.1, "never"),
    ]
    assert score_by(table, "view") == Score(0.5, "the rest")
    assert asked == ["view"]
