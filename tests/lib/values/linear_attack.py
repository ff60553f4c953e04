"""A known attack on date shifts that fold the patient's id linearly into an offset.

Some tools compute offset = fold(offset x 131 + byte) mod 101 - 50 over the bytes of
id and key. The key then only multiplies and adds: two known patients give it away.
"""

from collections.abc import Callable, Mapping, Sequence

MODULUS = 101
FACTOR = 131


def fold(data: bytes) -> int:
    folded = 0
    for byte in data:
        folded = (folded * FACTOR + byte) % MODULUS
    return folded


def shift_linearly(patient: str, key: bytes) -> int:
    """Return what the linear formula gives as days."""
    return fold(patient.encode() + key) - 50


def predict_from_known(
    known: Mapping[str, int], lowest: int
) -> Callable[[str], set[int]]:
    """Return a guesser of offsets, given true offsets of a few patients.

    Every multiplier and summand that agrees with all known offsets is kept, which
    covers every key of every length. ``lowest`` is the smallest possible offset.
    """
    candidates = [
        (multiplier, summand)
        for multiplier in range(MODULUS)
        for summand in range(MODULUS)
        if all(
            _apply(patient, multiplier, summand, lowest) == offset
            for patient, offset in known.items()
        )
    ]
    return lambda patient: {
        _apply(patient, multiplier, summand, lowest)
        for multiplier, summand in candidates
    }


def _apply(patient: str, multiplier: int, summand: int, lowest: int) -> int:
    return (fold(patient.encode()) * multiplier + summand) % MODULUS + lowest


def measure_success(
    predict: Callable[[str], set[int]], patients: Sequence[str], offsets: Sequence[int]
) -> float:
    """Return the share of patients whose offset was the one and only guess."""
    hits = sum(
        predict(patient) == {offset}
        for patient, offset in zip(patients, offsets, strict=True)
    )
    return hits / len(patients)
