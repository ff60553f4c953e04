"""What all ways of answering a batch share: order, missing values, repeats."""

from collections.abc import Callable, Sequence

from nlp_redaction.errors import Refusal
from nlp_redaction.replacement.options import (
    Redacted,
    RowContext,
    answer_unread,
    withhold,
)

Item = tuple[object, RowContext]
TextItem = tuple[str, RowContext]


def answer_in_order(
    items: Sequence[Item],
    longest: int,
    answer: Callable[[Sequence[TextItem]], Sequence[Redacted]],
) -> list[Redacted]:
    """Answer a batch: what is no text at once, equal rows once, all in order.

    Args:
        items: Texts, or what came in their place, and what is known of each.
        longest: The most characters of a text.
        answer: Answers distinct texts, as many as it is given, in order.
    """
    answers: list[Redacted | None] = []
    places: dict[object, list[int]] = {}
    distinct: list[TextItem] = []
    for at, (value, context) in enumerate(items):
        settled = answer_unread(value, longest)
        answers.append(settled)
        if settled is None:
            text = _copy_text(value)
            # The key itself, not its hash: two texts never share an answer by chance.
            places_of_text = places.setdefault((text, _key(context)), [])
            if not places_of_text:
                distinct.append((text, context))
            places_of_text.append(at)
    for redacted, wanted in zip(answer(distinct), places.values(), strict=True):
        for at in wanted:
            answers[at] = redacted
    return [withhold(Refusal.FAILED) if each is None else each for each in answers]


def _copy_text(value: object) -> str:
    """Return a plain ``str`` even of a subclass that behaves otherwise."""
    return str.__str__(value) if isinstance(value, str) else ""


def _key(context: RowContext) -> object:
    return (
        context.known,
        context.shift_days,
        tuple(sorted(context.pseudonyms.items())),
        context.surrogate_key,
    )
