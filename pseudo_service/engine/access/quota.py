"""Turns blind indices into the codes that a quota counts.

A blind index is uniform already, so one AES call permutes a whole batch of them
under the quota key: a stored quota cannot be joined to the register.
"""

from datetime import date

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from pseudo_service.core.keys.material import SecretKey
from pseudo_service.ports.journal import QuotaCharge


def charge_quota(
    blind: npt.NDArray[np.uint8],
    *,
    key: SecretKey,
    caller: str,
    project: str,
    day: date,
    limit: int,
) -> QuotaCharge | None:
    """Return the charge for a batch's distinct identifiers; None for none.

    Args:
        blind: (n, 16) uint8, distinct.
        key: The service root's quota key.
        caller: Who is charged.
        project: In which project.
        day: On which day (UTC).
        limit: The project's daily quota.
    """
    if not len(blind):
        return None
    # ECB over distinct, uniform 16-byte blocks is one application of the block
    # cipher to each: a keyed permutation, with nothing for patterns to show in.
    encryptor = Cipher(AES(key.reveal()), ECB()).encryptor()  # noqa: S305 - see above
    permuted = encryptor.update(np.ascontiguousarray(blind).tobytes())
    codes = np.frombuffer(permuted, dtype="<u8")[::2].copy()
    return QuotaCharge(
        caller=caller, project=project, day=day, codes=codes, limit=limit
    )
