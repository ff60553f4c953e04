"""Finds the words and phrases that a deployment sets, whatever their case."""

from collections.abc import Iterable

from nlp_redaction.document.text import Document


class Phrases:
    """Entries of ``Settings.keep_words`` or ``Settings.extra_names``."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._by_first_word: dict[str, list[list[str]]] = {}
        for entry in entries:
            words = Document.read(entry).folded
            if words:
                self._by_first_word.setdefault(words[0], []).append(words)

    def find(self, document: Document) -> list[tuple[int, int]]:
        """Return the stretches of a document that hold an entry, in order."""
        if not self._by_first_word:
            return []
        folded = document.folded
        return [
            (document.starts[at], document.ends[at + len(words) - 1])
            for at, word in enumerate(folded)
            for words in self._by_first_word.get(word, ())
            if folded[at : at + len(words)] == words
        ]
