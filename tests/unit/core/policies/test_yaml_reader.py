"""The strict YAML of policies: what is text, where it stands, and what is refused."""

import json
from enum import StrEnum

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import PolicyInvalid
from pseudo_service.core.policies.yaml_reader import (
    DEEPEST,
    LONGEST_LIST,
    LONGEST_POLICY,
    LONGEST_TEXT,
    Entry,
    Fields,
    read_document,
)

SECRET = "9994737805"


class Colour(StrEnum):
    """Two choices."""

    RED = "red"
    DARK_BLUE = "dark_blue"


def plain(entry):
    """Return an entry as texts, lists and dictionaries."""
    match entry.value:
        case str(text):
            return text
        case tuple(entries):
            return [plain(each) for each in entries]
        case mapping:
            return {key: plain(each) for key, each in mapping.items()}


def make_entry(value, path="a.b", line=7):
    return Entry(path=path, line=line, value=value)


def refuse(call, *arguments, **options):
    with pytest.raises(PolicyInvalid) as refusal:
        call(*arguments, **options)
    assert refusal.value.code is ErrorCode.POLICY_INVALID
    return refusal.value.message


# JSON writes what lies beyond as two halves, which YAML does not join.
MARKS = st.characters(codec="utf-8", max_codepoint=0xFFFF)
KEYS = st.text(MARKS, min_size=1).filter(str.strip)
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        st.text(MARKS, max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


def depth(value):
    if isinstance(value, str):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth, inner), default=0)


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS.filter(lambda document: depth(document) <= DEEPEST), st.booleans())
def test_texts_lists_and_mappings_are_read_back_as_written(document, is_json):
    text = (
        json.dumps(document)
        if is_json
        else yaml.safe_dump(document, default_style='"', allow_unicode=False)
    )

    found = read_document(text)

    assert plain(found) == document
    assert list(found.mapping()) == list(yaml.load(text, Loader=yaml.BaseLoader))


@pytest.mark.parametrize(
    "scalar", ["no", "null", "~", "007", "1e3", "0x1F", "2021-04-01", "12:30", ".inf"]
)
def test_a_plain_scalar_is_the_text_that_is_written(scalar):
    assert plain(read_document(f"{scalar}: {scalar}")) == {scalar: scalar}


def test_each_entry_knows_its_path_and_line():
    found = read_document("a:\n  b:\n    - x\n    - c: y\n'd e':\n  f")
    second = found.mapping()["a"].mapping()["b"].entries()[1]

    assert (found.path, found.line) == ("", 1)
    assert (second.path, second.line) == ("a.b[2]", 4)
    assert second.mapping()["c"].path == "a.b[2].c"
    assert (found.mapping()["d e"].path, found.mapping()["d e"].line) == ("d e", 6)


def test_a_path_withholds_what_may_be_a_patient_s():
    found = read_document(f"columns:\n  x: y\n  '{SECRET}': {{a: b}}")
    inner = found.mapping()["columns"].mapping()[SECRET].mapping()["a"]

    assert inner.path == "columns.number 2 (name withheld).a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 'begin with "policy:'),
        ("- a", 'begin with "policy:'),
        ("a", 'begin with "policy:'),
        ("a: b\n---\nc: d", "policy (line 2): give one document only"),
        ("a: &x b", "policy (line 1): anchors (&)"),
        ("a:\n  - *x", "policy (line 2): anchors (&)"),
        ("a: &x [b]", "anchors (&)"),
        ("a: !secret b", "tags (!)"),
        ("a: !!map {}", "tags (!)"),
        ("a: b\na: c", "policy (line 2): the key a stands twice in the policy"),
        ("a: {b: c, b: d}", "the key b stands twice in a"),
        ("[a]: b", "every key must be a text"),
        ("{a: b}: c", "every key must be a text"),
        ("'  ': b", "every key must be a text"),
        ("a: 'b", "no valid YAML at line 1"),
        ("a:\n  b: c\n d: e", "no valid YAML at line 3"),
        ("a: b\x07", "characters that no text may have"),
        ("a: \udcff", "characters that no text may have"),
    ],
)
def test_what_is_no_strict_yaml_is_refused_by_line(text, words):
    assert words in refuse(read_document, text)


@pytest.mark.parametrize(
    "text",
    [
        f"a: '{SECRET}",
        f"{SECRET}: b\n{SECRET}: c",
        f"a: &x{SECRET} b",
        f"a: *x{SECRET}",
        f"a: !{SECRET} b",
        f"a: {{{SECRET}: [}}",
        f"{SECRET}\x07: b",
    ],
)
def test_a_refusal_repeats_nothing_of_the_text_and_has_no_cause(text):
    with pytest.raises(PolicyInvalid) as refusal:
        read_document(text)

    error = refusal.value
    assert SECRET not in error.message
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


def test_nesting_ends_at_the_deepest_level():
    deep = "[" * (DEEPEST - 1) + "x" + "]" * (DEEPEST - 1)

    assert read_document(f"a: {deep}")
    assert f"deeper than {DEEPEST}" in refuse(read_document, f"a: [{deep}]")


def test_the_longest_list_is_taken_and_a_longer_one_refused():
    entries = "x," * LONGEST_LIST

    assert len(read_document(f"a: [{entries}]").mapping()["a"].value) == LONGEST_LIST
    message = refuse(read_document, f"a:\n [{entries}x]")
    assert message == f"policy (line 2): give at most {LONGEST_LIST} entries"


def test_the_longest_policy_is_counted_in_bytes():
    head = "a: b # "
    rest = LONGEST_POLICY - len(head)

    assert read_document(head + "x" * rest)
    assert "256 KiB" in refuse(read_document, head + "x" * (rest + 1))
    assert "256 KiB" in refuse(read_document, head + "é" * (rest // 2 + 1))


def test_a_refusal_names_the_path_and_the_line():
    assert refuse(make_entry("x").refuse, "no") == "a.b (line 7): no"
    assert refuse(make_entry("x", path="").refuse, "no") == "policy (line 7): no"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ((), "one text, not a list"),
        ({}, "one text, not a list"),
        ("", "it is blank"),
        (" \n ", "it is blank"),
        ("x" * (LONGEST_TEXT + 1), f"at most {LONGEST_TEXT} characters, not 301"),
        ("a\x1b[2K", "control characters"),
        ("a\tb", "control characters"),
        ("a\u202eb", "control characters"),
        ("a\n\x1b[1Ab", "control characters"),
        ("a\nb\u202e", "control characters"),
    ],
)
def test_a_text_is_one_line_or_more_of_plain_characters(value, words):
    assert words in refuse(make_entry(value).text)


def test_a_text_is_returned_as_it_stands():
    assert make_entry(" é\nb ").text() == " é\nb "
    assert make_entry("x" * LONGEST_TEXT).text() == "x" * LONGEST_TEXT
    assert make_entry("xy").text(longest=2) == "xy"
    assert "at most 1" in refuse(make_entry("xy").text, longest=1)


def test_lists_hold_one_or_more_different_texts():
    one, two = make_entry("x", line=8), make_entry("yy", line=9)

    assert make_entry((one, two)).texts() == ("x", "yy")
    assert make_entry((one, one)).entries() == (one, one)
    assert "stands here twice" in refuse(make_entry((one, one)).texts)
    assert "the list is empty" in refuse(make_entry(()).texts)
    assert "give a list" in refuse(make_entry("x").entries)
    assert "give a list" in refuse(make_entry({"x": one}).entries)
    assert "(line 9): give at most 1" in refuse(make_entry((one, two)).texts, longest=1)


def test_a_choice_is_by_value_exactly():
    assert make_entry("dark_blue").choice(Colour) is Colour.DARK_BLUE
    for text in ("DARK_BLUE", "Red", "red ", SECRET):
        message = refuse(make_entry(text).choice, Colour)
        assert message == "a.b (line 7): give one of red, dark_blue"


@pytest.mark.parametrize("value", ["x", ()])
def test_what_is_no_mapping_has_no_fields(value):
    assert "give a mapping" in refuse(make_entry(value).mapping)
    assert "give a mapping" in refuse(Fields, make_entry(value))


def test_fields_are_taken_once_and_needed_ones_must_be_there():
    fields = Fields(read_document("a: x\nb: y"))

    assert fields.take("a").text() == "x"
    assert fields.take("a") is None
    assert fields.take("c") is None
    assert fields.need("b", "give b").text() == "y"
    fields.close()
    assert refuse(fields.need, "d", "give d") == (
        'policy (line 1): "d" is missing: give d'
    )


def test_what_nobody_takes_is_refused_with_what_could_be_taken():
    fields = Fields(read_document(f"a: x\n{SECRET}: y"))
    fields.take("a")
    fields.take("b")

    message = refuse(fields.close)

    assert message == (
        "policy (line 1): unknown key number 1 (name withheld) (line 2); it takes a, b"
    )
