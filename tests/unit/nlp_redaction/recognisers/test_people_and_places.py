"""People, places and firms in texts, before and after the guard, with all known traps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.decision.propagation import propagate
from nlp_redaction.decision.protected_terms import find_protected
from nlp_redaction.decision.resolve import decide
from nlp_redaction.document.spans import STANDS_ALONE, Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.models.load import load_model
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.names.form_fields import FormName, InvertedName
from nlp_redaction.recognisers.names.initials import InitialsRecogniser
from nlp_redaction.recognisers.names.lexicon import NameByAbsence
from nlp_redaction.recognisers.names.triggers import CuedName, TitledName
from nlp_redaction.recognisers.places.employer import EmployerName
from nlp_redaction.recognisers.places.institution import InstitutionName
from nlp_redaction.recognisers.places.place import PlaceName
from nlp_redaction.settings import Settings

NO_MODEL = load_model("rules")
RECOGNISERS: list[Recogniser] = [
    TitledName(),
    CuedName(),
    FormName(),
    InvertedName(),
    InitialsRecogniser(),
    NameByAbsence(),
    PlaceName(),
    InstitutionName(),
    EmployerName(),
]


def say_all(document: Document) -> list[Span]:
    """Return everything that the rules say."""
    return [span for rule in RECOGNISERS for span in rule.find(document)]


def find(text: str) -> list[str]:
    """Return what is removed by rules alone."""
    document = Document.read(text)
    bounds = [term.bounds for term in find_protected(document)]
    kept = decide(document, say_all(document), bounds, None, NO_MODEL)
    return [text[span.start : span.end] for span in propagate(document, kept, bounds)]


def list_hints(text: str) -> list[str]:
    """Return what is only hinted at."""
    document = Document.read(text)
    return [
        text[span.start : span.end]
        for span in say_all(document)
        if span.score < STANDS_ALONE
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dr.Smith saw him", ["Smith"]),
        ("Mr. o'neill attended", ["o'neill"]),
        ("Mr. O\u2019Neill attended", ["O\u2019Neill"]),
        ("Sr Okafor gave", ["Okafor"]),
        ("Fr Michael visited", ["Michael"]),
        ("Sister Hope rang", ["Hope"]),
        ("Nurse Grace said so", ["Grace"]),
        ("Mr and Mrs Patel", ["Patel"]),
        ("Drs Khan and Jones agreed", ["Khan", "Jones"]),
        ("D/w Dr O'Brien-Nwosu", ["O'Brien-Nwosu"]),
        ("patient's daughter Mrs van der Berg", ["van der Berg"]),
        ("Dr J. R. Ewing", ["J. R. Ewing"]),
        ("d/w mr khan", ["khan"]),
        ("MRS SMITH REVIEWED ON WARD", ["SMITH"]),
        ("Mr F is late", ["F"]),
    ],
)
def test_name_behind_a_title(text: str, names: list[str]) -> None:
    assert find(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("son Tariq present", ["Tariq"]),
        ("her sister Beth", ["Beth"]),
        ("wife delyth says", ["delyth"]),
        ("her fianc\u00e9 Will drove", ["Will"]),
        ("Seen by JT today", ["JT"]),
        ("seen by Chukwuemeka", ["Chukwuemeka"]),
        ("known as: Bee", ["Bee"]),
        ("Tariq (son)", ["Tariq"]),
        ("Mary McDonald's son", ["Mary McDonald"]),
    ],
)
def test_name_beside_a_cue(text: str, names: list[str]) -> None:
    assert find(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dear Si\u00e2n,", ["Si\u00e2n"]),
        ("Yours sincerely\n\nTunde Adeyemi\nConsultant", ["Tunde Adeyemi"]),
        ("Signed: A. Nowak", ["A. Nowak"]),
        ("GP: Dr P Sharma", ["P Sharma"]),
        ("Surname: Llewellyn Forename: Eirlys", ["Llewellyn", "Eirlys"]),
        ("Name: rose okafor", ["rose okafor"]),
        ("SMITH, John", ["SMITH, John"]),
        ("Okonkwo, Chidi (Mr)", ["Okonkwo, Chidi"]),
        ('Abdirahman "Abdi" Warsame', ["Abdirahman", "Abdi", "Warsame"]),
        ("Our ref: JOR/ml/55", ["JOR", "ml"]),
        ("Ref PKM/jt", ["PKM", "jt"]),
        ("09:30 settled - KW", ["KW"]),
        ("K. Okeefe attended", ["K. Okeefe"]),
    ],
)
def test_name_in_the_form_of_the_page(text: str, names: list[str]) -> None:
    assert find(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "Rose from chair unaided",
        "will mark the site",
        "MR angiogram of brain",
        "miss doses of insulin",
        "MS relapse",
        "Dr to review",
        "dr will see",
        "HPC: SOB. PMH: COPD",
        "CRP 12 FBC NAD, PMH IHD",
        "NHS number awaited; DVLA informed",
        "in Nigeria, England and Poland",
        "the hospital, Ward 5, bed 3",
        "minor surgery",
        "Knee Surgery",
        "D.O.B. awaited",
        "Clexane given with Tegaderm",
    ],
)
def test_clinical_prose_is_left_alone(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Paget's disease of bone",
        "Bell's palsy and Graves' disease",
        "Guillain-Barr\u00e9 syndrome",
        "Down's syndrome and Hodgkin lymphoma",
        "Wilson disease; Murphy's sign negative",
        "tinel's and phalen's positive",
        "Foley catheter draining, Kocher forceps",
        "Glasgow Coma Scale 15, Montreal A2 L3",
        "Baker's cyst, Charcot-Marie-Tooth disease",
        "Thomas splint and Zimmer frame",
        "Weber B fracture, Garden III",
        "St John's wort",
    ],
)
def test_eponyms_are_kept(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dr Paget reviewed", ["Paget"]),
        ("cc: Dr Paget", ["Paget"]),
        ("Mr Paget has Paget's disease", ["Paget"]),
        ("Dr Bell has Bell's palsy", ["Bell"]),
    ],
)
def test_title_overrules_the_guard(text: str, names: list[str]) -> None:
    assert find(text) == names


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("from Leeds", ["Leeds"]),
        ("lives in stoke-on-trent", ["stoke-on-trent"]),
        ("born in Lahore", ["Lahore"]),
        ("St Mary's Hospital", ["St Mary's Hospital"]),
        ("Ysgol Glan Clwyd", ["Ysgol Glan Clwyd"]),
        ("HMP Wandsworth", ["HMP Wandsworth"]),
        ("Sunny Meadow Care Home", ["Sunny Meadow Care Home"]),
        ("on Willow Ward", ["Willow Ward"]),
        ("Smith & Sons Ltd", ["Smith & Sons Ltd"]),
        ("works at Tesco", ["Tesco"]),
    ],
)
def test_places_and_firms(text: str, places: list[str]) -> None:
    assert find(text) == places


def test_doubtful_words_are_hints() -> None:
    assert "Xanthrop" in list_hints("spoke to Xanthrop today")
    assert "Hope" in list_hints("we asked Hope about it")
    assert list_hints("we asked about it") == []


def test_name_found_once_is_found_everywhere() -> None:
    text = "Mr Hollow came. Later Hollow said the hollow sound, hollow's HOLLOW."
    assert find(text) == ["Hollow", "Hollow"]
    text = (
        "Mr Thistlethwaite came. thistlethwaite said; Thistlethwaites; THISTLETHWAITE"
    )
    assert len(find(text)) == 4


def test_weak_finds_are_not_carried_on() -> None:
    text = "Kestrel here. Kestrel there."
    document = Document.read(text)
    weak = Span(0, 7, Label.NAME, 0.55, "test")
    strong = Span(0, 7, Label.NAME, 0.95, "test")
    assert propagate(document, [weak], ()) == [weak]
    assert [span.start for span in propagate(document, [strong], ())] == [0, 14]


def test_settings_add_and_keep_words() -> None:
    rule = NameByAbsence(Settings(extra_names=("Zog",), keep_words=("Chukwuemeka",)))
    document = Document.read("zog and Chukwuemeka")
    assert [document.text[s.start : s.end] for s in rule.find(document)] == ["zog"]


@given(st.text(max_size=200))
def test_any_text_is_searched_without_error(text: str) -> None:
    cleaned = text.encode("utf-8", "ignore").decode()
    document = Document.read(cleaned)
    for span in propagate(document, say_all(document), ()):
        assert 0 <= span.start < span.end <= len(cleaned)
    for start, end, _ in find_protected(document):
        assert 0 <= start < end <= len(cleaned)


words = st.sampled_from(
    [
        "Dr",
        "dr",
        "MR",
        "Mrs",
        "Smith",
        "O'Neill",
        "de",
        "van",
        "J.",
        "-",
        "'",
        '"',
        ",",
        ":",
        "/",
        "(",
        ")",
        "son",
        "Name:",
        "Dear\n",
        "Hospital",
        "St",
        "Ward",
        "of",
        "&",
        "PKM/jt",
        "Ref",
        "Paget's",
        "disease",
        "LEEDS",
        "signed",
        "\n",
    ]
)


@given(st.lists(words, max_size=40))
def test_any_heap_of_cues_is_searched_without_error(heap: list[str]) -> None:
    document = Document.read(" ".join(heap))
    for span in propagate(document, say_all(document), ()):
        assert 0 <= span.start < span.end <= len(document.text)
