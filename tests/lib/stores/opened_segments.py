"""Segments opened by a reader of its own, which takes nothing from the service's."""

import hashlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.register.segments import Segment


def open_segment(segment: Segment, data_key: SecretKey) -> list[bytes]:
    """Return a segment's canonical identities, in order.

    Raises:
        InvalidTag: It does not open under this key.
    """
    texts = (
        "pseudo/segment/v1",
        segment.segment_id,
        segment.kind,
        str(segment.count),
        segment.data_key_id,
    )
    fields = [text.encode() for text in texts]
    fields.append(hashlib.sha256(segment.blind_index).digest())
    associated = b"".join(len(each).to_bytes(2, "big") + each for each in fields)
    cipher = AESGCM(data_key.reveal())
    packed = cipher.decrypt(segment.nonce, segment.sealed, associated)
    identities = []
    position = 0
    while position < len(packed):
        end = position + 1 + packed[position]
        identities.append(packed[position + 1 : end])
        position = end
    assert len(identities) == segment.count
    return identities
