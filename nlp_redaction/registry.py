"""Our recognisers, and the Presidio registry that holds them and nothing else."""

from presidio_analyzer import RecognizerRegistry

from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.email import EmailRecogniser
from nlp_redaction.recognisers.phone import PhoneRecogniser
from nlp_redaction.recognisers.postcode import PostcodeRecogniser
from nlp_redaction.recognisers.url import UrlRecogniser
from nlp_redaction.settings import Settings


def list_recognisers(settings: Settings | None = None) -> list[Recogniser]:
    """Make one of each recogniser, as the settings say."""
    del settings
    return [
        EmailRecogniser(),
        PhoneRecogniser(),
        PostcodeRecogniser(),
        UrlRecogniser(),
    ]


def make_registry(settings: Settings | None = None) -> RecognizerRegistry:
    """Return a registry for Presidio's own engine, without its default recognisers."""
    return RecognizerRegistry(recognizers=list_recognisers(settings))
