"""Wire messages of free text to values of the engine and back."""

from pseudo_service.api.v1 import deidentification_pb2 as messages
from pseudo_service.core.redaction import KnownKind
from pseudo_service.engine.tables.redact_texts import TextResult, TextToRedact


def decode_text(message: messages.TextToRedact) -> TextToRedact:
    """Return a text and what its caller knows of it."""
    known = {kind: tuple(getattr(message.known, kind.value)) for kind in KnownKind}
    return TextToRedact(
        text=message.text,
        patient=message.patient,
        patient_kind=message.patient_kind,
        known={kind: values for kind, values in known.items() if values},
    )


def encode_text(result: TextResult) -> messages.RedactTextResponse.Result:
    """Return a redacted text, or why there is none."""
    refusal = result.patient_refusal or ""
    if result.text is None:
        return messages.RedactTextResponse.Result(
            withheld=result.withheld or "failed", patient_refusal=refusal
        )
    return messages.RedactTextResponse.Result(text=result.text, patient_refusal=refusal)
