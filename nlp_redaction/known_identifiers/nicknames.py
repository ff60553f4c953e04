"""Short and pet forms of forenames, both ways."""

from functools import cache

from nlp_redaction.lexicons import read_lexicon


@cache
def _group_names() -> dict[str, frozenset[str]]:
    related: dict[str, set[str]] = {}
    for line in read_lexicon("nicknames"):
        names = line.split()
        for name in names:
            related.setdefault(name, set()).update(names)
    return {name: frozenset(group - {name}) for name, group in related.items()}


def list_nicknames(forename: str) -> frozenset[str]:
    """Return the other forms of a forename, plainly spelt; none for a rare name."""
    return _group_names().get(forename, frozenset())
