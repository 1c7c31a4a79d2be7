"""Checks of what a record shows outside: Open311, and exercises that receivers are told of."""

from collections.abc import Iterator

from catalog.lifecycle.lookups import bad_values, fields_of, of_kind, unknown
from catalog.lifecycle.record import ANYONE, Record


def what_is_told_is_declared(r: Record) -> Iterator[str]:
    """Moves that receivers are told of, and the fields with their names and the level, exist."""
    if r.told is None:
        return
    yield from unknown("told: move", r.told.events, {m.name for m in r.moves})
    yield from of_kind(r, "told: receivers", r.told.receivers, "names")
    yield from of_kind(r, "told: severity", r.told.severity, "choice")
    field = r.field(r.told.severity)
    if field and {c.name for c in field.choices} - {"1", "2", "3", "4"}:
        yield f"told: {field.name} is no level from 1 to 4"


def open311_maps_fields(r: Record) -> Iterator[str]:
    """What Open311 shows is declared, public, and enough to open a record."""
    if r.open311 is None:
        return
    o = r.open311
    named = (o.service, o.description, o.agency, o.media, o.phone, *o.fixed)
    yield from unknown("open311: field", named, fields_of(r))
    yield from unknown("open311: clock", [o.clock], {c.name for c in r.clocks})
    field = r.field(o.service)
    if field and field.kind != "choice":
        yield f"open311: service {o.service} is no field of kind choice"
    if not r.public or ANYONE not in r.opening.roles:
        yield "open311: the record is not public, or the public may not open it"
    required = {f.name for f in r.all_fields if f.required} - set(named)
    yield from (f"open311: field {name} is required but not given" for name in sorted(required))
    for name in (o.service, o.description, o.agency, o.media):
        if (shown := r.field(name)) and not shown.public:
            yield f"open311: field {name} is not public"
    yield from bad_values(r, "open311", dict(o.fixed))
