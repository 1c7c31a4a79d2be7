"""What the checks of a declaration look up: is this name declared, does a field take this value."""

from collections.abc import Iterable, Iterator

from catalog.lifecycle.record import Record


def bad_values(r: Record, at: str, given: dict[str, str | float | bool]) -> Iterator[str]:
    """Say which given values a field does not take."""
    for name, value in given.items():
        if field := r.field(name):
            try:
                field.read(value)
            except ValueError as error:
                yield f"{at}: {name} {value!r} {error}"


def unknown(at: str, named: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """Say which names are not declared, and which are."""
    known = set(known)
    for name in named:
        if name not in known:
            yield f"{at} {name!r} is not declared (known: {', '.join(sorted(known)) or 'none'})"


def of_kind(r: Record, at: str, name: str, *kinds: str) -> Iterator[str]:
    """Say that a name is no field of these kinds."""
    field = r.field(name)
    if field is None or field.kind not in kinds:
        yield f"{at}: {name!r} is no field of kind {' or '.join(kinds)}"


def fields_of(r: Record) -> set[str]:
    """Return the names of all fields."""
    return {f.name for f in r.all_fields}
