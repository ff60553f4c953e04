"""Warming up makes every kernel ready and tells what computes MACs."""

import pyarrow as pa

from pseudo_service.core.arrow.numba_kernels import can_compile
from pseudo_service.core.pseudonyms import mac_cache, text_form
from pseudo_service.core.pseudonyms.keyed_hash import name_engine
from pseudo_service.core.pseudonyms.warm_up import warm_up


def test_after_it_no_kernel_waits_for_its_compilation() -> None:
    engine = warm_up()
    assert engine is name_engine()
    for kernel in (mac_cache._number_keys, text_form._spell):
        assert kernel._ready is not None
        assert (kernel._ready is kernel.plain) != can_compile()


def test_it_remembers_nobody() -> None:
    warm_up()
    recent = mac_cache.RecentIdentifiers()
    numbers = recent.find(pa.array(["9990441537"]))
    assert numbers is not None
    assert (recent.count, numbers.tolist()) == (1, [0])
