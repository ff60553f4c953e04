"""Replaces what was found in texts: tags, masks or surrogates, and dates."""

from nlp_redaction.replacement.redactor import Redactor
from nlp_redaction.replacement.style import Redacted, RowContext, Style

__all__ = ["Redacted", "Redactor", "RowContext", "Style"]
