"""Register writers as the service wires them."""

from datetime import timedelta

from pseudo_service.core.keys.material import Root
from pseudo_service.engine.register.data_key_holder import DataKeyHolder
from pseudo_service.engine.register.writer import RegisterWriter
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.key_vault import KeyVault


def make_register_writer(
    *,
    vault: KeyVault,
    clock: Clock,
    entropy: Entropy,
    service_root: Root,
    lifetime: timedelta = timedelta(hours=12),
) -> RegisterWriter:
    data_keys = DataKeyHolder(
        vault=vault, clock=clock, entropy=entropy, lifetime=lifetime
    )
    return RegisterWriter(
        data_keys=data_keys, service_root=service_root, clock=clock, entropy=entropy
    )
