# ruff: noqa: DTZ007, PLR0911, PLR0917 - naive times, one return a rule, no keywords
"""The engine once more: row by row, in plain Python, slow, to be checked by eye.

It shares no code with the kernels, only the policy's values. ``Keys`` are raw bytes.
"""

import hashlib
import hmac
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pseudo_service.core.policies.policy import ColumnRule, Policy
from pseudo_service.core.policies.treatments import (
    Drop,
    ExcludeRows,
    Generalise,
    Keep,
    Pseudonymise,
    RedactText,
    ShiftDate,
)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISSING = {"", "NA", "N/A", "N/K", "NULL", "NONE", "UNKNOWN", "NK", "NAN"}
DUMMIES = {"1234567890", "0123456789", "9876543210", "0987654321", "9434765919"}
ISO = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m", "%Y")


@dataclass
class Keys:
    tag: str
    version: int
    pseudonym: dict[str, bytes]
    date: bytes
    opt_out: bytes
    weeks: int
    previous: "Keys | None" = None


@dataclass
class OptOuts:
    numbers: set[str]
    is_allow_list: bool
    removes_uncheckable: bool


@dataclass
class Superseded:
    """What became of numbers: the next one, or None where another person has it."""

    fates: dict[str, str | None] = field(default_factory=dict)
    follows: bool = False

    def find_last(self, number: str) -> str:
        while self.fates.get(number):
            number = self.fates[number]
        return number

    def find_all(self, number: str) -> set[str]:
        """Return every number of whoever has this one."""
        last = self.find_last(number)
        return {last} | {n for n in self.fates if self.find_last(n) == last}

    def judge(self, number: str, found: str) -> tuple[str | None, str]:
        if number in self.fates and self.fates[number] is None:
            return None, "reissued"
        return (self.find_last(number) if self.follows else number), found


@dataclass
class Answer:
    rows: list[dict] = field(default_factory=list)
    removed: Counter = field(default_factory=Counter)
    counts: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))
    rejected: set[tuple[str, str, int]] = field(default_factory=set)
    identities: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def fold(value) -> str:
    text = unicodedata.normalize("NFKC", str(value))
    return text.replace("\u2013", "-").replace("\u2010", "-").strip()


def is_missing(value) -> bool:
    if value is None:
        return True
    text = fold(value)
    return text.upper() in MISSING or set(text) <= set("-._?*/ ")


def read_nhs_number(value) -> tuple[str | None, str]:
    if is_missing(value):
        return None, "missing"
    text = re.sub(r"^NHS\b *(NUMBER|NO)?\b[ .:]*", "", fold(value), flags=re.IGNORECASE)
    text = re.sub(r"\.0*$", "", text)
    if is_missing(text):
        return None, "missing"
    if not re.fullmatch(r"[0-9][0-9 -]*", text):
        return None, "not_a_number"
    digits = re.sub("[ -]", "", text)
    if len(digits) != 10:
        return None, "wrong_length"
    if len(set(digits)) == 1 or digits in DUMMIES:
        return None, "dummy"
    if sum(int(d) * w for d, w in zip(digits, range(10, 0, -1), strict=True)) % 11:
        return None, "bad_check_digit"
    if digits.startswith("999"):
        return digits, "test_range"
    msg = "tests use numbers of the 999 range only"
    raise AssertionError(msg)


def read_local_number(value) -> tuple[str | None, str]:
    if is_missing(value):
        return None, "missing"
    text = fold(value).upper()
    if len(text) > 40 or not re.fullmatch("[!-~]+", text):
        return None, "invalid"
    if re.fullmatch("0+|X{2,}", text):
        return None, "dummy"
    return text, "valid"


def read_identifier(kind: str, value, superseded: Superseded) -> tuple[str | None, str]:
    if kind != "nhs_number":
        return read_local_number(value)
    number, found = read_nhs_number(value)
    return (None, found) if number is None else superseded.judge(number, found)


def compute_mac(key: bytes, kind: str, identifier: str) -> bytes:
    message = kind.encode() + b"\x1f" + identifier.encode()
    return hmac.new(key, message, hashlib.sha256).digest()[:16]


def write_pseudonym(keys: Keys, kind: str, identifier: str) -> str:
    number = int.from_bytes(compute_mac(keys.pseudonym[kind], kind, identifier), "big")
    body = "".join(ALPHABET[number >> 5 * place & 31] for place in range(25, -1, -1))
    letter = {"nhs_number": "N", "mrn": "M"}[kind.partition("@")[0]]
    text = f"{keys.tag}{letter}{keys.version}{body}"
    total = 0
    for place, symbol in enumerate(reversed(text)):
        value = ALPHABET.index(symbol) * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return f"{keys.tag}-{text[4:]}{ALPHABET[-total % 32]}"


def find_offset(
    policy: Policy, row: dict, keys: Keys, superseded: Superseded
) -> timedelta | None:
    for source in policy.patient.sources():
        value = row[source.column]
        identifier, _ = read_identifier(source.kind.text, value, superseded)
        if identifier is not None:
            mac = compute_mac(keys.date, source.kind.text, identifier)
            weeks = 1 + int.from_bytes(mac, "big") % keys.weeks
            return timedelta(weeks=-weeks)
    return None


def is_excluded(value, codes: tuple[str, ...]) -> bool:
    if value is None:
        return False
    text = unicodedata.normalize("NFKC", str(value)).upper()
    text = "".join(mark for mark in text if unicodedata.category(mark) != "Cf")
    dashes = {mark for mark in text if unicodedata.category(mark) == "Pd"} | {"\u2212"}
    blanks = {mark for mark in text if unicodedata.category(mark) == "Zs"} | {"\t"}
    parts_of_codes = {*"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789."}
    parts = [text]
    for inside in (set(), dashes, dashes | blanks):
        plain = inside | parts_of_codes
        parts += "".join(c if c in plain else "\0" for c in text).split("\0")
    for code in codes:
        plain = re.sub("[^A-Z0-9]", "", code.upper())
        for part in parts:
            found = re.sub("[^A-Z0-9]", "", part)
            if found == plain or (code.endswith("*") and found.startswith(plain)):
                return True
    return False


def read_date(value, formats) -> tuple[date | datetime | None, int]:
    """Return the date and how much of it is stated: 4, 7 or 10 characters."""
    if not isinstance(value, str):
        return value, 10
    for layout in formats or ISO:
        try:
            moment = datetime.strptime(fold(value), layout)
        except ValueError:
            continue
        if "%d" not in layout:
            month = re.search("%[mbB]", layout)
            if month:
                return moment.replace(day=15), 7
            return moment.replace(month=7, day=1), 4
        return (moment if "%H" in layout else moment.date()), 10
    return None, 0


def shift_date(value, formats, offset, sentinels) -> tuple[date | None, int, str]:
    if is_missing(value):
        return None, 0, "missing"
    day, stated = read_date(value, formats)
    if day is None:
        return None, 0, "unparseable"
    if is_sentinel(day, stated, sentinels):
        return None, 0, "sentinel"
    if offset is None:
        return None, 0, "no_patient"
    try:
        return day + offset, stated, "ok"
    except OverflowError:
        return None, 0, "out_of_range"


def is_sentinel(day, stated: int, sentinels) -> bool:
    """Compare the day, or the first and last day of a year or month alone."""
    edges = [day.isoformat()[:10]]
    if stated == 4:
        edges = [f"{day:%Y}-01-01", f"{day:%Y}-12-31"]
    if stated == 7:
        last = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        edges = [f"{day:%Y-%m}-01", f"{last - timedelta(days=1):%Y-%m-%d}"]
    return any(edge in {s.isoformat() for s in sentinels} for edge in edges)


def write_date(value, day, stated: int, keeps_time: bool):
    """Return a date as its column's type wants it: text becomes ISO 8601."""
    if isinstance(day, datetime) and not keeps_time:
        day = day.replace(hour=0, minute=0, second=0, microsecond=0)
    if stated < 10:
        return day.isoformat()[:stated]
    return day.isoformat() if isinstance(value, str) else day


def coarsen(treatment: Generalise, day, stated: int) -> tuple[str | None, str]:
    if treatment.to == "age_band":
        if stated < 10:
            return None, "unparseable"
        as_of = treatment.as_of
        before = (as_of.month, as_of.day) < (day.month, day.day)
        return band_age(as_of.year - day.year - before)
    width = {"month": 7, "year": 4}[treatment.to]
    return (day.isoformat()[:width], "ok") if stated >= width else (None, "unparseable")


def band_age(age: int) -> tuple[str | None, str]:
    if not 0 <= age <= 130:
        return None, "out_of_range"
    return ("90+" if age >= 90 else f"{age // 5 * 5}-{age // 5 * 5 + 4}"), "ok"


def cut_postcode(treatment: Generalise, value) -> tuple[str | None, str]:
    if is_missing(value):
        return None, "missing"
    found = re.fullmatch(
        "([A-Z]{1,2})([0-9][0-9A-Z]?) *[0-9][A-Z]{2}", fold(value).upper()
    )
    if found is None:
        return None, "unparseable"
    area, district = found.groups()
    return (area if treatment.to == "postcode_area" else area + district), "ok"


def treat(rule: ColumnRule, value, offset, policy, keys, sentinels, superseded):
    treatment = rule.treatment
    match treatment:
        case Keep() | ExcludeRows():
            return value, "missing" if value is None else "ok"
        case Pseudonymise():
            kind = treatment.kind.text
            identifier, found = read_identifier(kind, value, superseded)
            return identifier and write_pseudonym(keys, kind, identifier), found
        case ShiftDate():
            day, stated, code = shift_date(value, treatment.formats, offset, sentinels)
            keeps_time = treatment.time_of_day == "keep"
            return day and write_date(value, day, stated, keeps_time), code
        case Generalise(to="outward_code" | "postcode_area"):
            return cut_postcode(treatment, value)
        case Generalise() if isinstance(value, int):
            return band_age(value)
        case Generalise():
            moved = offset if policy.shifts_dates else timedelta()
            day, stated, code = shift_date(value, treatment.formats, moved, sentinels)
            return coarsen(treatment, day, stated) if code == "ok" else (None, code)
        case RedactText():
            return None, "missing" if value is None else "withheld"


def has_opted_out(number: str, opt_outs: OptOuts, superseded: Superseded) -> bool:
    """An opt-out holds for all of a person's numbers; an allowance must name both."""
    if opt_outs.is_allow_list:
        return not {number, superseded.find_last(number)} <= opt_outs.numbers
    return bool(superseded.find_all(number) & opt_outs.numbers)


def judge_row(
    policy: Policy, row: dict, opt_outs: OptOuts | None, superseded: Superseded
) -> str | None:
    """Return why a row leaves before its identifiers are looked at, if it does."""
    numbers = [
        read_identifier("nhs_number", row[source.column], superseded)[0]
        for source in (policy.patient.sources() if policy.patient else ())
        if source.kind.text == "nhs_number"
    ]
    number = next((n for n in numbers if n), None)
    named = [
        read_nhs_number(row[column])[0]
        for column, kind in find_kinds(policy).items()
        if kind == "nhs_number"
    ]
    if opt_outs and any(has_opted_out(n, opt_outs, superseded) for n in named if n):
        return "opt_out"
    if opt_outs and number is None and opt_outs.removes_uncheckable:
        return "uncheckable"
    for rule in policy.columns:
        if isinstance(rule.treatment, ExcludeRows) and is_excluded(
            row[rule.name], rule.treatment.codes
        ):
            return "excluded_code"
    return None


def find_kinds(policy: Policy) -> dict[str, str]:
    sources = policy.patient.sources() if policy.patient else ()
    kinds = {source.column: source.kind.text for source in sources}
    for rule in policy.columns:
        if isinstance(rule.treatment, Pseudonymise):
            kinds[rule.name] = rule.treatment.kind.text
    return kinds


def deidentify(
    policy, rows, *, keys, sentinels=frozenset(), opt_outs=None, superseded=None
) -> Answer:
    superseded = superseded or Superseded()
    answer = Answer()
    accepted = {"valid", "test_range"}
    kinds = find_kinds(policy)
    for position, row in enumerate(rows):
        reason = judge_row(policy, row, opt_outs, superseded)
        for rule in policy.columns:
            if rule.name not in kinds or reason in {"opt_out", "excluded_code"}:
                continue
            _, found = read_identifier(kinds[rule.name], row[rule.name], superseded)
            answer.counts[rule.name][found] += 1
            if isinstance(rule.treatment, Pseudonymise) and found not in accepted | {
                "missing"
            }:
                answer.rejected.add((rule.name, found, position))
                if rule.treatment.on_invalid == "remove_row" and reason is None:
                    reason = "invalid_identifier"
        if reason is not None:
            answer.removed[reason] += 1
            continue
        offset = (
            find_offset(policy, row, keys, superseded) if policy.shifts_dates else None
        )
        given = (policy, row, position, offset, keys, sentinels, kinds, answer)
        answer.rows.append(treat_row(*given, superseded))
    return answer


def treat_row(
    policy, row, position, offset, keys, sentinels, kinds, answer, superseded
) -> dict:
    out = {}
    for rule in policy.columns:
        if rule.output_name is None or isinstance(rule.treatment, Drop):
            continue
        value, code = treat(
            rule, row[rule.name], offset, policy, keys, sentinels, superseded
        )
        out[rule.output_name] = value
        if rule.name in kinds:
            kind = kinds[rule.name]
            identifier, _ = read_identifier(kind, row[rule.name], superseded)
            if rule.previous_name:
                old = identifier and keys.previous
                out[rule.previous_name] = (
                    write_pseudonym(old, kind, identifier) if old else None
                )
            if identifier is not None:
                answer.identities[kind].add(identifier)
            continue
        answer.counts[rule.name][code] += 1
        if code not in {"ok", "missing", "withheld"}:
            answer.rejected.add((rule.name, code, position))
    return out
