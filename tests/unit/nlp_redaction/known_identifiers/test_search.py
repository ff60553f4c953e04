"""Names, addresses and contact details of the record, found in every variant."""

import pytest

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.known_identifiers import find_known

PATIENT = KnownIdentifiers(
    names=("Comfort Agyemang-Boateng",),
    people=("Kwabena Agyemang-Boateng", "Dr Siân Prydderch"),
    dates=("1958-09-11",),
    numbers=("999 911 6426", "M559023"),
    addresses=("Flat 6, Ty Coch, 22 Bersham Road, Wrexham",),
    postcodes=("LL14 4HH",),
    phones=("07700 900417", "0114 496 0872"),
    emails=("comfort.ab@example.org",),
)


def find(text: str, known: KnownIdentifiers = PATIENT) -> list[Span]:
    return find_known(Document.read(text), known)


def show(text: str, known: KnownIdentifiers = PATIENT) -> list[str]:
    """Return what is found, overlapping spans merged."""
    covered = [False] * (len(text) + 1)
    for span in find(text, known):
        covered[span.start : span.end] = [True] * (span.end - span.start)
    pieces, start = [], None
    for at, is_covered in enumerate(covered):
        if is_covered and start is None:
            start = at
        elif not is_covered and start is not None:
            pieces.append(text[start:at])
            start = None
    return pieces


def name(*names: str) -> KnownIdentifiers:
    return KnownIdentifiers(names=names)


NAMES = [
    ("seen with AGYEMANG-BOATENG today", "AGYEMANG-BOATENG"),
    ("seen with Agyemang Boateng today", "Agyemang Boateng"),
    ("seen with Agyemangboateng today", "Agyemangboateng"),
    ("Mrs Boateng came", "Boateng"),
    ("rang mrs agyemang re bloods", "agyemang"),
    ("AGYEMANG-BOATENG, Comfort (Mrs)", "AGYEMANG-BOATENG, Comfort"),
    ("Boateng Comfort attended", "Boateng Comfort"),
    ("Ms C. Boateng attended", "C. Boateng"),
    ("Ms C Agyemang-Boateng attended", "C Agyemang-Boateng"),
    ("spoke to Boateng's daughter", "Boateng"),
    ("both Boatengs were there", "Boatengs"),
    ("for Agye-\nmang to attend", "Agye-\nmang"),
    ("for Boa\nteng to attend", "Boa\nteng"),
    ("for Boa teng to attend", "Boa teng"),
    ("for B0ateng to attend", "B0ateng"),
    ("for Boatneg to attend", "Boatneg"),
    ("for Boaeng to attend", "Boaeng"),
    ("for Obateng to attend", "Obateng"),
    ("for Agiemnag to attend", "Agiemnag"),
    ("for Comfort to attend", "Comfort"),
    ("Dear Comfort,", "Comfort"),
    ("MrsBoateng attended", "Boateng"),
    ("brother Kwabena rang", "Kwabena"),
    ("thanks, Sian", "Sian"),
    ("thanks, Sia\u0302n", "Sia\u0302n"),
]


@pytest.mark.parametrize(("text", "expected"), NAMES)
def test_names_are_found_in_every_variant(text: str, expected: str) -> None:
    assert show(text) == [expected]


OTHER_NAMES = [
    (name("John Paul Smith"), "seen J. P. Smith today", "J. P. Smith"),
    (name("John Paul Smith"), "seen Smith JP today", "Smith"),
    (name("John Paul Smith"), "patient JS seen", "JS"),
    (name("John Paul Smith"), "with J.S. today", "J.S"),
    (name("John Paul Smith"), "Jack rang", "Jack"),
    (name("John Paul Smith"), "Johnny and Paul", "Johnny"),
    (name("William Fearnley"), "Billy rang", "Billy"),
    (name("Bill Fearnley"), "William rang", "William"),
    (name("Maeve O'Neill"), "mrs oneill rang", "oneill"),
    (name("Maeve O'Neill"), "Mrs O Neill rang", "O Neill"),
    (name("Maeve O'Neill"), "Mrs O\u2019Neill rang", "O\u2019Neill"),
    (name("Ewan McDonald"), "mr mac donald rang", "mac donald"),
    (name("Ewan McDonald"), "Mr MacDonald rang", "MacDonald"),
    (name("Ewan McDonald"), "Mr Mc Donald rang", "Mc Donald"),
    (name("Jürgen Müller"), "herr mueller rang", "mueller"),
    (name("Jürgen Müller"), "Mr Muller rang", "Muller"),
    (name("Anneke van der Berg"), "Ms van der Berg", "van der Berg"),
    (name("Birmingham"), "mr birrningham rang", "birrningham"),
    (name("Minh Vo"), "Mr Vo rang", "Vo"),
    (name("Chen Xiaoling"), "Xiao Ling attends", "Xiao Ling"),
    (name("Ben Mukherjee"), "Ben rang", "Ben"),
]


@pytest.mark.parametrize(("known", "text", "expected"), OTHER_NAMES)
def test_names_of_many_kinds(known: KnownIdentifiers, text: str, expected: str) -> None:
    found = show(text, known)
    assert expected in "|".join(found)


WILL = name("Will Young")
COMMON = [
    ("Will rang", "Will"),
    ("she will attend", None),
    ("Will need bloods", None),
    ("dr will review and may discharge", None),
    ("Will was well", "Will"),
    ("Dear Will,", "Will"),
    ("mr young attended", "young"),
    ("a young woman", None),
    ("Young woman with asthma", None),
    ("I saw Will today", "Will"),
    ("will young attended", "will young"),
    ("YOUNG, Will", "YOUNG, Will"),
    ("Seen: W. Young", "W. Young"),
]


@pytest.mark.parametrize(("text", "expected"), COMMON)
def test_names_that_are_words_are_found_only_as_names(
    text: str, expected: str | None
) -> None:
    assert show(text, WILL) == ([expected] if expected else [])


QUIET = [
    ("Bovine and comfortable, has an appointment", name("Hasan Bovey")),
    ("JS bach played", name("John Smith")),
    ("on CT and MS", name("Carl Tomkin", "Mary Sutton")),
    ("no change", NOTHING_KNOWN),
    ("", PATIENT),
    ("11/9 of the pain, 22 tablets at L4", PATIENT),
    ("patient comfortable on the ward", PATIENT),
]


@pytest.mark.parametrize(("text", "known"), QUIET)
def test_what_is_no_identifier_stays(text: str, known: KnownIdentifiers) -> None:
    assert show(text, known) == []


def test_people_are_not_found_by_initials_alone() -> None:
    known = KnownIdentifiers(people=("John Smith",))
    assert show("patient JS seen, J.S. agreed", known) == []
    assert show("J. Smith agreed", known) == ["J. Smith"]


def test_a_surname_before_disease_is_left_to_the_guard() -> None:
    known = name("Rhona Parkinson")
    (span,) = find("known Parkinson's disease", known)
    assert span.score < 0.85
    (span,) = find("Mrs Parkinson attended", known)
    assert span.score >= 0.9


ADDRESSES = [
    ("lives at 22 Bersham Rd, alone", "22 Bersham Rd"),
    ("lives in Bersham Road", "Bersham Road"),
    ("lives at 22 bersham", "22 bersham"),
    ("lives at 22 Bersahm Road", "22 Bersahm Road"),
    ("lives at Ty Coch", "Ty Coch"),
    ("lives at TY COCH", "TY COCH"),
    ("moved to apt 6 last year", "apt 6"),
    ("from WREXHAM", "WREXHAM"),
    ("pc ll144hh", "ll144hh"),
    ("pc LL14  4HH", "LL14  4HH"),
    ("pc LLl4 4HH", "LLl4 4HH"),
    ("Wrexham LL14", "Wrexham"),
]


@pytest.mark.parametrize(("text", "expected"), ADDRESSES)
def test_addresses_are_found(text: str, expected: str) -> None:
    assert expected in show(text) or expected in " ".join(show(text))


def test_a_town_is_a_location_and_the_outward_part_needs_it() -> None:
    labels = {span.label for span in find("Wrexham LL14")}
    assert labels == {Label.LOCATION, Label.POSTCODE}
    assert show("disc at LL14 and pain") == []


CONTACTS = [
    ("tel +44 7700 900417 today", "+44 7700 900417"),
    ("tel +44 (0)7700 900 417 today", "+44 (0)7700 900 417"),
    ("tel 07700.900.417 today", "07700.900.417"),
    ("tel O77OO 9OO417 today", "O77OO 9OO417"),
    ("tel 496 0872 today", "496 0872"),
    ("tel (0114) 496 0872 today", "(0114) 496 0872"),
    ("tel 07700 900471 today", "07700 900471"),
    ("at COMFORT.AB@EXAMPLE.ORG now", "COMFORT.AB@EXAMPLE.ORG"),
    ("user comfort.ab logged in", "comfort.ab"),
]


@pytest.mark.parametrize(("text", "expected"), CONTACTS)
def test_telephones_and_emails_are_found(text: str, expected: str) -> None:
    assert expected.strip("(+") in " ".join(show(text))


def test_reasons_and_repr_say_nothing_of_the_values() -> None:
    text = "Comfort Agyemang-Boateng, 11/09/1958, 999 911 6426, 22 Bersham Road"
    spans = find(text)
    assert len(spans) >= 4
    for span in spans:
        assert span.recogniser == "known_identifiers"
        assert span.score >= 0.9
        for word in ("omfort", "gyemang", "ersham", "1958", "999"):
            assert word not in span.reason


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("2 The Cobbles", "lives at 2 The Cobbles, alone", "2 The Cobbles"),
        ("18 Meadow Reach", "lives at 18 Meadow Reach", "18 Meadow Reach"),
        ("31/4 Raeburn Wynd", "at 31/4 Raeburn Wynd", "31/4 Raeburn Wynd"),
        ("The Old Forge", "at The Old Forge", "The Old Forge"),
        ("The Old Forge", "at Old Forge", "Old Forge"),
        ("St Ronan's Court", "at St Ronans Ct", "St Ronans Ct"),
        ("Flat 2/1, 140 Arklet Drive", "at flat 2/1, 140 Arklet Dr", "140 Arklet Dr"),
    ],
)
def test_addresses_of_many_kinds(line: str, text: str, expected: str) -> None:
    found = show(text, KnownIdentifiers(addresses=(line,)))
    assert expected in " ".join(found)
