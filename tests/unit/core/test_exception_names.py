"""What is told of an exception has no value in it."""

import pytest

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.exception_names import name_place, name_places, name_type

NUMBER = "9990000018"


def fail(depth: int) -> None:
    if depth:
        fail(depth - 1)
    raise ValueError(NUMBER)


def test_a_type_has_its_module() -> None:
    assert name_type(ValueError) == "builtins.ValueError"
    assert name_type(InvalidArgument) == "pseudo_service.core.errors.InvalidArgument"


def test_the_innermost_places_are_told_and_no_value() -> None:
    with pytest.raises(ValueError, match=NUMBER) as caught:
        fail(10)
    places = name_places(caught.value.__traceback__).split()
    assert len(places) == 6
    assert places[-1] == f"test_exception_names.py:{fail.__code__.co_firstlineno + 3}"
    assert NUMBER not in "".join(places)


def test_what_was_not_raised_has_no_place() -> None:
    assert name_places(None) == ""


@pytest.mark.parametrize("file", ["/srv/app/a.py", "C:\\app\\a.py", "a.py"])
def test_a_place_tells_nothing_of_the_machine(file: str) -> None:
    assert name_place(file, 7) == "a.py:7"
