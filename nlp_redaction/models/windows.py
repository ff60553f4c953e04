"""Cuts a document into the windows that the encoder reads.

Lines stay whole where they fit, a sign of its own stands for the line break (layout
tells much in a clinical note), and every window but the first begins with the end of
the one before it as context that is not judged again.
"""

from dataclasses import dataclass
from typing import Final

from tokenizers import Tokenizer

from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing
from nlp_redaction.models.features import NO_LETTERS, classify_words

LINE_BREAK: Final = "[unused1]"
LONGEST: Final = 128
CONTEXT: Final = 24


@dataclass(slots=True, repr=False)
class Window:
    """What the encoder reads at once.

    Attributes:
        pieces: Ids of word pieces, with ``[CLS]`` and ``[SEP]``.
        classes: The class of the word that each piece belongs to.
        tokens: The index of that word in the document; -1 for signs of the encoder
            and for context, which is judged elsewhere.
    """

    pieces: list[int]
    classes: list[int]
    tokens: list[int]


class WindowCutter:
    """Cuts documents, with one tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._first = self._look_up("[CLS]")
        self._last = self._look_up("[SEP]")
        self._line_break = self._look_up(LINE_BREAK)

    def _look_up(self, sign: str) -> int:
        number = self._tokenizer.token_to_id(sign)
        if number is None:
            message = f"The tokenizer does not know {sign}."
            raise ModelMissing(message)
        return int(number)

    def cut(self, document: Document) -> list[Window]:
        """Return the windows of a document, in order; none for an empty one."""
        units = self._read_units(document)
        body = LONGEST - 2
        windows: list[Window] = []
        if not document.words:
            return windows
        start = 0
        while start < len(units):
            context = min(CONTEXT, start)
            end = self._find_end(units, start, start + body - context)
            windows.append(self._make_window(units, start - context, start, end))
            start = end
        return windows

    def _read_units(self, document: Document) -> list[tuple[int, int, int]]:
        """Piece, class and token of everything in the document, line breaks included."""
        classes = classify_words(document)
        units: list[tuple[int, int, int]] = []
        lines = document.lines
        texts = [document.plain[start:end] for start, end in lines]
        encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        token = 0
        starts = document.starts
        count = len(starts)
        for (line_start, _), encoding in zip(lines, encodings, strict=True):
            for piece, (begin, _end) in zip(
                encoding.ids, encoding.offsets, strict=True
            ):
                at = line_start + begin
                while token + 1 < count and starts[token + 1] <= at:
                    token += 1
                units.append((piece, classes[token], token))
            units.append((self._line_break, NO_LETTERS, -1))
        return units

    def _find_end(
        self, units: list[tuple[int, int, int]], start: int, limit: int
    ) -> int:
        """Prefer to end behind a line break, else between two words."""
        if limit >= len(units):
            return len(units)
        for at in range(limit, start + (limit - start) // 2, -1):
            if units[at - 1][0] == self._line_break:
                return at
        for at in range(limit, start + 1, -1):
            if units[at][2] != units[at - 1][2]:
                return at
        return limit

    def _make_window(
        self, units: list[tuple[int, int, int]], context: int, start: int, end: int
    ) -> Window:
        chosen = units[context:end]
        judged = start - context
        return Window(
            pieces=[self._first, *(unit[0] for unit in chosen), self._last],
            classes=[NO_LETTERS, *(unit[1] for unit in chosen), NO_LETTERS],
            tokens=[
                -1,
                *(-1 if at < judged else unit[2] for at, unit in enumerate(chosen)),
                -1,
            ],
        )
