"""Identifiers once more, from the description alone: one value at a time, by eye.

It shares no code with the kernels and takes and returns plain texts.
"""

import re
from datetime import date

BLANKS = "\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0\u1680\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\u00ad\u2043"
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
MISSING = {
    "#N/A",
    "<NA>",
    "BLANK",
    "MISSING",
    "N.A.",
    "N/A",
    "N/K",
    "NA",
    "NAN",
    "NAT",
    "NIL",
    "NK",
    "NONE",
    "NOT KNOWN",
    "NOT RECORDED",
    "NOT STATED",
    "NULL",
    "TBA",
    "TBC",
    "UNK",
    "UNKNOWN",
    "UNSPECIFIED",
    "\\N",
}
DUMMIES = {
    *(digit * 10 for digit in "0123456789"),
    "0123456789",
    "0987654321",
    "0987654322",
    "1234567881",
    "1234567890",
    "9434765919",
    "9876543210",
}
PREFIX = r"(NHS|CHI|HCN|H *& *C)\b *((NUMBER|NUM|NO|N)\b)? *\.? *[:#=]? *"


def narrow(text: str) -> str:
    out = []
    for char in text:
        if char in BLANKS:
            out.append(" ")
        elif char in DASHES:
            out.append("-")
        elif 0xFF01 <= ord(char) <= 0xFF5E:
            out.append(chr(ord(char) - 0xFEE0))
        elif char not in INVISIBLE:
            out.append(char)
    return "".join(out).strip()


def says_nothing(text: str) -> bool:
    return text.upper() in MISSING or all(char in "-._?*/ " for char in text)


def has_right_check_digit(number: str) -> bool:
    total = sum(
        int(digit) * weight
        for digit, weight in zip(number, range(10, 1, -1), strict=False)
    )
    check = 11 - total % 11
    return {11: 0, 10: None}.get(check, check) == int(number[9])


def begins_with_date(number: str) -> bool:
    day, month, year = int(number[:2]), int(number[2:4]), int(number[4:6])
    for century in (1900, 2000):
        try:
            date(century + year, month, day)
        except ValueError:
            continue
        return True
    return False


def issuer(number: str) -> str:
    if number.startswith("999"):
        return "test_range"
    if number <= "3112999999":
        return "chi_range" if begins_with_date(number) else "other_range"
    if "3200000001" <= number <= "3999999999":
        return "hc_range"
    return "england_and_wales"


def classify_national(number: str, kind: str) -> str:
    if number in DUMMIES:
        return "dummy"
    if not has_right_check_digit(number):
        return "bad_check_digit"
    found = issuer(number)
    own = {
        "nhs_number": "england_and_wales",
        "chi_number": "chi_range",
        "hc_number": "hc_range",
    }
    if found == own[kind]:
        return "valid"
    return "other_range" if found == "england_and_wales" else found


def read_national(text: str, kind: str) -> tuple[str | None, str]:
    if text[0].isalpha():
        text = re.sub("^" + PREFIX, "", text, flags=re.IGNORECASE)
    if says_nothing(text):
        return None, "missing"
    text = re.sub(r"\.0*$", "", text)
    if not re.fullmatch("[0-9][0-9 -]*", text):
        return None, "not_a_number"
    number = text.replace(" ", "").replace("-", "")
    if kind == "chi_number" and len(number) == 9:
        number = "0" + number
    if len(number) != 10:
        return None, "wrong_length"
    return number, classify_national(number, kind)


def read_local(text: str, kind: str) -> tuple[str | None, str]:
    if not all("!" <= char <= "~" for char in text):
        return None, "invalid"
    text = text.upper()
    if not 1 <= len(text) <= min(40, 54 - len(kind)):
        return None, "invalid"
    if set(text) == {"0"} or (set(text) == {"X"} and len(text) > 1):
        return None, "dummy"
    return text, "valid"


def canonicalise(
    text: str | None, kind: str, accept_test_range: bool, accept_chi: bool
) -> tuple[str | None, str]:
    """Return the canonical identifier, if accepted, and the class's name."""
    narrowed = narrow(text) if text is not None else ""
    if says_nothing(narrowed):
        return None, "missing"
    read = read_local if "@" in kind else read_national
    value, found = read(narrowed, kind)
    accepted = {"valid"}
    if accept_test_range:
        accepted.add("test_range")
    if accept_chi and kind == "nhs_number":
        accepted.add("chi_range")
    return (value if found in accepted else None), found
