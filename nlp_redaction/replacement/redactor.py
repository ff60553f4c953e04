"""Redacts batches of texts in this process, failing closed."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

from nlp_redaction.errors import Refusal, TextRefused
from nlp_redaction.replacement.batches import Item, TextItem, answer_in_order
from nlp_redaction.replacement.options import Redacted, Style, withhold
from nlp_redaction.replacement.replace import Replacer
from nlp_redaction.search import Searched, Searcher, search_each
from nlp_redaction.settings import Settings

TEXTS_AT_ONCE: Final = 32
_MODES_KEPT: Final = 4


FinderFactory = Callable[[str, Settings], Searcher]


def make_finder(mode: str, settings: Settings) -> Searcher:
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
        self._finders: OrderedDict[str, Searcher] = OrderedDict()
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
        self.prepare(style.mode)
        return answer_in_order(
            items,
            self._settings.longest_text,
            lambda distinct: self.redact_distinct(distinct, style),
        )

    def redact_distinct(
        self, items: Sequence[TextItem], style: Style
    ) -> list[Redacted]:
        """Answer texts that ``answer_in_order`` has sorted out already, in order.

        A worker process asks here: its pool, which sees the whole call, has answered
        missing values and repeats.

        Raises:
            ModelMissing: The mode's model cannot be loaded; nothing was read.
        """
        finder = self._get_finder(style.mode)
        answers: list[Redacted] = []
        for start in range(0, len(items), TEXTS_AT_ONCE):
            some = items[start : start + TEXTS_AT_ONCE]
            found = search_each(finder, [(text, row.known) for text, row in some])
            answers += map(_replace, some, found, [style] * len(some))
        return answers

    def _get_finder(self, mode: str) -> Searcher:
        with self._lock:
            if mode not in self._finders:
                self._finders[mode] = self._factory(mode, self._settings)
                if len(self._finders) > _MODES_KEPT:
                    self._finders.popitem(last=False)
            self._finders.move_to_end(mode)
            return self._finders[mode]


def _replace(item: TextItem, searched: Searched, style: Style) -> Redacted:
    if isinstance(searched, TextRefused):
        return withhold(searched.refusal)
    try:
        answer, counts = Replacer(style, item[1]).replace(searched)
    except TextRefused as refused:
        return withhold(refused.refusal)
    except Exception:  # noqa: BLE001 - whatever went wrong, no text may pass
        return withhold(Refusal.FAILED)
    return Redacted(text=answer, counts=dict(counts))
