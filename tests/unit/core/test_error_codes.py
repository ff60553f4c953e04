"""Codes are part of the wire contract: each is its own name."""

import re

import pytest

from pseudo_service.core.error_codes import ErrorCode


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_on_the_wire_is_its_name(code: ErrorCode) -> None:
    assert code.value == code.name
    # google.rpc.ErrorInfo.reason: at most 63 characters of this form.
    assert re.fullmatch(r"[A-Z][A-Z0-9_]{1,61}[A-Z0-9]", code)
