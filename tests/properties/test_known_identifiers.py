"""What is known is found whatever hands and scanners do to it."""

from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.text import Document
from nlp_redaction.known_identifiers import find_known

_VALUES = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            ["O'Neill, Will", "11/09/1958", "999 911 6426", "22 High St, Bath", "a@b.c"]
        ),
    ),
    max_size=3,
).map(tuple)
_KNOWN = st.builds(
    KnownIdentifiers,
    names=_VALUES,
    people=_VALUES,
    dates=_VALUES,
    numbers=_VALUES,
    addresses=_VALUES,
    postcodes=_VALUES,
    phones=_VALUES,
    emails=_VALUES,
)
_TEXT = st.text(
    st.one_of(
        st.sampled_from("abWO'-. \n09158lI@/,"),
        st.characters(blacklist_categories=["Cs"]),
    ),
    max_size=120,
)


@given(_TEXT, _KNOWN)
def test_nothing_breaks_the_search(text: str, known: KnownIdentifiers) -> None:
    for span in find_known(Document.read(text), known):
        assert 0 <= span.start < span.end <= len(text)
        assert 0.5 <= span.score <= 1


@given(_KNOWN)
def test_known_values_as_texts_break_nothing(known: KnownIdentifiers) -> None:
    text = "\n".join((*known.names, *known.dates, *known.numbers, *known.addresses))
    for span in find_known(Document.read(text), known):
        assert 0 <= span.start < span.end <= len(text)


_NAMES = st.sampled_from(
    ["Agyemang", "Prydderch", "Okwuosa", "Fearnley", "Trevarrow", "Szymborska"]
)


@st.composite
def _misspell(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(_NAMES)
    at = draw(st.integers(1, len(name) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    wrong = draw(
        st.sampled_from(
            [
                name[:at] + name[at + 1 :],
                name[:at] + letter + name[at:],
                name[:at] + letter + name[at + 1 :],
                name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :],
            ]
        )
    )
    return name, wrong.capitalize()


@given(_misspell())
def test_one_typing_error_hides_no_name(pair: tuple[str, str]) -> None:
    name, wrong = pair
    known = KnownIdentifiers(names=(f"Zebedee {name}",))
    text = f"I reviewed {wrong} in clinic."
    spans = find_known(Document.read(text), known)
    assert any(
        span.start <= text.index(wrong) and span.end >= text.index(wrong) + len(wrong)
        for span in spans
    )


@given(
    st.integers(0, 9_999_999),
    st.lists(
        st.sampled_from(["", " ", "-", ".", "\u00a0", "\n", "/", " - "]),
        min_size=9,
        max_size=9,
    ),
)
def test_no_separator_hides_a_number(digits: int, separators: list[str]) -> None:
    number = f"999{digits:07}"
    written = number[0] + "".join(
        separator + digit
        for separator, digit in zip(separators, number[1:], strict=True)
    )
    text = f"NHS {written} seen"
    known = KnownIdentifiers(numbers=(number,))
    spans = find_known(Document.read(text), known)
    assert any(span.start <= 4 and span.end >= 4 + len(written) for span in spans)
