"""Reads the messages of ``LoadAliases``: a header, then chunks."""

from collections.abc import Iterator

from pseudo_service.api.v1 import administration_pb2 as messages
from pseudo_service.core.access.roles import Actor
from pseudo_service.core.errors import AliasTableRefused, InvalidArgument
from pseudo_service.engine.reference_lists.superseded import (
    SupersededEntries,
    SupersededLists,
)

MOST_IN_CHUNK = 100_000


def load_aliases(
    tables: SupersededLists,
    requests: Iterator[messages.LoadAliasesRequest],
    actor: Actor,
) -> messages.LoadAliasesResponse:
    """Load the table that the messages hold.

    Raises:
        InvalidArgument: They do not begin with a header, or have a second one.
        As ``SupersededLists.load`` does.
    """
    first = next(requests, None)
    if first is None or first.WhichOneof("payload") != "header":
        msg = "an alias table begins with its header"
        raise InvalidArgument(msg)
    facts = tables.load(
        entries=first.header.entries, chunks=_read_chunks(requests), actor=actor
    )
    return messages.LoadAliasesResponse(
        list_id=facts.list_id, merged=facts.merged, reissued=facts.reissued
    )


def _read_chunks(
    requests: Iterator[messages.LoadAliasesRequest],
) -> Iterator[SupersededEntries]:
    for request in requests:
        if request.WhichOneof("payload") != "chunk":
            msg = "alias table: after the header only chunks follow"
            raise InvalidArgument(msg)
        aliases = request.chunk.aliases
        if len(aliases) > MOST_IN_CHUNK:
            msg = f"alias table: a chunk has at most {MOST_IN_CHUNK} entries"
            raise AliasTableRefused(msg)
        yield [each.superseded for each in aliases], [each.current for each in aliases]
