"""The one door to text redaction. No redactor is installed yet: texts are withheld."""

from collections.abc import Sequence

from pseudo_service.core.texts import TextCode
from pseudo_service.ports.text_redactor import RedactedTexts


class WithholdingRedactor:
    """Answers null for every text, with a code: what is not redacted stays here."""

    def redact(self, texts: Sequence[str | None]) -> RedactedTexts:
        """Withhold every text that is there."""
        return RedactedTexts(
            texts=[None] * len(texts),
            codes=[None if text is None else TextCode.WITHHELD.value for text in texts],
        )
