"""Redacts batches of texts in this process, failing closed."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Final, Protocol

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Span
from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing, Refusal, TextRefused
from nlp_redaction.replacement.batches import Item, TextItem, answer_in_order
from nlp_redaction.replacement.options import Redacted, Style, withhold
from nlp_redaction.replacement.replace import Replacer
from nlp_redaction.settings import Settings

TEXTS_AT_ONCE: Final = 32
_MODES_KEPT: Final = 4
_Found = list[Span] | TextRefused


class SpanFinder(Protocol):
    """Finds what hides in texts; ``pipeline.Finder`` is one."""

    def try_all(
        self, texts: Iterable[tuple[object, KnownIdentifiers]]
    ) -> list[list[Span] | TextRefused]:
        """Return as many answers as texts, in order."""
        ...


FinderFactory = Callable[[str, Settings], SpanFinder]


def make_finder(mode: str, settings: Settings) -> SpanFinder:
    """Load the search for a mode.

    Raises:
        ModelMissing: Its model cannot be loaded.
    """
    from nlp_redaction.pipeline import Finder  # noqa: PLC0415 - loads the models' libraries

    return Finder(mode, settings)


class Redactor:
    """Finds and replaces; what fails is withheld with a code, never passed.

    Models are loaded when a mode is first asked for, and kept. Nothing of a text is
    kept, logged or quoted. Time-outs need a process that can be ended: see
    ``workers.WorkerPool``. Safe to call from several threads.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        finder_factory: FinderFactory = make_finder,
    ) -> None:
        """Prepare without loading anything.

        Args:
            settings: What the deployment sets.
            finder_factory: Makes the finder of a mode. Another search than ours, or a
                test's that sleeps and dies, is put in here.
        """
        self._settings = settings or Settings()
        self._factory = finder_factory
        self._finders: OrderedDict[str, SpanFinder] = OrderedDict()
        self._lock = Lock()

    def prepare(self, mode: str) -> None:
        """Load what a mode needs.

        Raises:
            ModelMissing: Its model cannot be loaded.
        """
        self._get_finder(mode)

    def redact_all(self, items: Sequence[Item], style: Style) -> list[Redacted]:
        """Answer texts in order, as many as came.

        Args:
            items: Each text, and what is known of its patient. None and NaN are missing
                values and answered as such; anything else that is no ``str`` is
                withheld.
            style: How they are searched and what is written instead.

        Raises:
            ModelMissing: The mode's model cannot be loaded; nothing was read.
        """
        finder = self._get_finder(style.mode)

        def answer(distinct: Sequence[TextItem]) -> list[Redacted]:
            answers: list[Redacted] = []
            for start in range(0, len(distinct), TEXTS_AT_ONCE):
                some = distinct[start : start + TEXTS_AT_ONCE]
                found = _find(finder, some)
                answers += map(_answer, some, found, [style] * len(some))
            return answers

        return answer_in_order(items, self._settings.longest_text, answer)

    def _get_finder(self, mode: str) -> SpanFinder:
        with self._lock:
            if mode not in self._finders:
                self._finders[mode] = self._factory(mode, self._settings)
                if len(self._finders) > _MODES_KEPT:
                    self._finders.popitem(last=False)
            self._finders.move_to_end(mode)
            return self._finders[mode]


def _find(finder: SpanFinder, items: Sequence[TextItem]) -> Sequence[_Found]:
    """Search some texts together; when that fails, each alone, to find the culprit."""
    try:
        found = list(finder.try_all((text, context.known) for text, context in items))
    except ModelMissing:
        raise
    except Exception:  # noqa: BLE001 - whatever went wrong, no text may pass
        found = []
    if len(found) == len(items):
        return found
    if len(items) == 1:
        return [TextRefused(Refusal.FAILED, "The search failed.")]
    return [_find(finder, [item])[0] for item in items]


def _answer(item: TextItem, found: _Found, style: Style) -> Redacted:
    if isinstance(found, TextRefused):
        return withhold(found.refusal)
    text, context = item
    try:
        replacer = Replacer(style, context, _find_protected)
        answer, counts = replacer.replace(text, found)
    except TextRefused as refused:
        return withhold(refused.refusal)
    except Exception:  # noqa: BLE001 - whatever went wrong, no text may pass
        return withhold(Refusal.FAILED)
    return Redacted(text=answer, counts=dict(counts))


def _find_protected(text: str) -> Sequence[tuple[int, int]]:
    from nlp_redaction.decision.protected_terms import find_protected  # noqa: PLC0415 - reads its lists

    return find_protected(Document.read(text, longest=len(text)))
