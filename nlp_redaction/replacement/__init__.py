"""Replaces what was found in texts: tags, masks or surrogates, and dates."""

from nlp_redaction.replacement.options import Redacted, RowContext, Style
from nlp_redaction.replacement.redactor import Redactor

__all__ = ["Redacted", "Redactor", "RowContext", "Style"]
