"""Fetching a small public document over HTTPS."""

import ssl
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pseudo_service.core.errors import ConfigurationInvalid

_MOST_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 16


def make_fetch(
    url: str, *, timeout: timedelta = timedelta(seconds=3), ca_file: Path | None = None
) -> Callable[[], bytes]:
    """Return a function that fetches a document over verified HTTPS.

    It goes through the proxy of the environment if there is one, follows no
    redirect, reads at most 1 MiB and gives up after ``timeout`` of silence or twice
    that for the whole body. It raises ``OSError`` or ``http.client.HTTPException``.

    Raises:
        ConfigurationInvalid: The address is not HTTPS.
    """
    if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
        msg = "signing keys: the address must begin with https://"
        raise ConfigurationInvalid(msg)
    opener = _make_opener(
        ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    )
    seconds = timeout.total_seconds()

    def fetch() -> bytes:
        give_up_at = time.monotonic() + 2 * seconds
        body = bytearray()
        with opener.open(url, timeout=seconds) as response:
            while chunk := response.read1(_CHUNK_BYTES):
                body += chunk
                if len(body) > _MOST_BYTES or time.monotonic() > give_up_at:
                    msg = "the document is too long or too slow"
                    raise OSError(msg)
        return bytes(body)

    return fetch


def _make_opener(context: ssl.SSLContext) -> urllib.request.OpenerDirector:
    """Without a handler for redirects or plain HTTP there is neither."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener
