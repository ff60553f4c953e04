"""The documents that the compact CNN reads: our tokens, line breaks, list classes."""

from typing import Final

from spacy.tokens import Doc
from spacy.vocab import Vocab

from nlp_redaction.document.text import Document
from nlp_redaction.models.features import CLASS_COUNT, NO_LETTERS, classify_word

_CLASS_MARKS: Final = tuple(f"C{number}" for number in range(CLASS_COUNT))
_LINE_BREAK: Final = "\n"


def write_doc(
    vocab: Vocab, document: Document, tokens: range | None = None
) -> tuple[Doc, list[int]]:
    """Return a spaCy document, and for each of its words the token it stands for.

    The class of a word (its case, and which lists know it) travels as its lemma, the
    one string attribute that the CNN's embedding reads and nothing else uses.

    Args:
        vocab: The pipeline's vocabulary.
        document: Whose words to take.
        tokens: Which of them; all by default.

    Returns:
        The document, and one index a word; -1 for a line break.
    """
    chosen = range(len(document.words)) if tokens is None else tokens
    words: list[str] = []
    lemmas: list[str] = []
    places: list[int] = []
    before = -1
    for token in chosen:
        start = document.starts[token]
        if before >= 0 and start > before:
            gap = document.plain[before:start]
            if "\n" in gap or "\r" in gap:
                words.append(_LINE_BREAK)
                lemmas.append(_CLASS_MARKS[NO_LETTERS])
                places.append(-1)
        words.append(document.words[token])
        lemmas.append(_CLASS_MARKS[classify_word(document.words[token])])
        places.append(token)
        before = document.ends[token]
    return Doc(vocab, words=words, lemmas=lemmas), places
