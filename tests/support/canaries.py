"""Where values are found that must not be found again."""

from collections.abc import Iterable

from services.cli.drill.canaries import forms


def found(values: Iterable[str], places: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """`(value, place)` of each value that a place holds in any form."""
    wanted = {value: forms(value) for value in values}
    return [
        (value, place)
        for place, content in places
        for value, written in wanted.items()
        if any(form in content for form in written)
    ]
