"""The one row of filters of all lists: a plain form whose values are the page's address.

So a filtered list can be linked, bookmarked and gone back to; changing a choice applies it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from nicegui import ui

from catalog.headline import in_screen_order
from catalog.model import Stream
from catalog.registry import systems
from catalog.severity import LEVELS
from catalog.site import site
from console.marks import level_mark
from console.texts import Words

HOURS = ("1", "6", "24", "168", "720")
Options = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """One select: ``options`` are (value, text); the first one is the default."""

    name: str
    label: str
    options: Options


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment in the city's time, to the minute; empty when it is not chosen."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the city's calendar."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Search:
    """One text field."""

    name: str
    label: str


Field = Choice | Search | Moment | Day


def filter_row(words: Words, fields: Sequence[Field], chosen: dict[str, str]) -> None:
    """Show the filters with what is chosen."""
    parts = "".join(_field(field, chosen.get(field.name, "")) for field in fields)
    button = f'<button class="act">{escape(words("filter.apply"))}</button>'
    label = escape(words("filter.label"))
    html = f'<form class="filters" method="get" role="search" aria-label="{label}">{parts}{button}'
    ui.html(f"{html}</form>", sanitize=False, tag="div").classes("filter-row")


def domain_choice(words: Words) -> Choice:
    """Return the choice of a domain."""
    found = [(name, words.of(domain.title)) for name, domain in systems().items()]
    return Choice("domain", words("filter.domain"), [_every(words), *found])


def stream_choice(words: Words, *, one: bool = False) -> Choice:
    """Return the choice of a stream; of exactly ``one``, or of one or all."""
    found = [(stream.name, words.of(stream.title)) for stream in in_screen_order()]
    return Choice("stream", words("filter.stream"), found if one else [_every(words), *found])


def district_choice(words: Words) -> Choice:
    """Return the choice of a district."""
    found = [(code, words.of(district.title)) for code, district in site().districts.items()]
    return Choice("district", words("filter.district"), [_every(words), *found])


def severity_choice(words: Words) -> Choice:
    """Return the choice of a level and everything above it."""
    found = []
    for severity in LEVELS:
        mark = level_mark(words, severity)
        found.append((str(int(severity)), f"{mark['icon']} {mark['text']} {words('filter.up')}"))
    return Choice("severity", words("filter.severity"), [_every(words), *found])


def metric_choice(words: Words, stream: Stream) -> Choice:
    """Return the choice of a stream's metric, the headline first."""
    names = [stream.headline, *(n for n in stream.charted_names if n != stream.headline)]
    found = [(name, words.of(stream.quantity(name).title)) for name in names]
    return Choice("metric", words("filter.metric"), found)


def hours_choice(words: Words) -> Choice:
    """Return the choice of a time back from now."""
    return named(words, "list", "hours", HOURS)


def period_fields(words: Words) -> list[Moment]:
    """Return the fields of a period, from and to; it goes before a time back from now."""
    return [Moment("start", words("filter.start")), Moment("end", words("filter.end"))]


def named(words: Words, group: str, name: str, values: Sequence[str]) -> Choice:
    """Return a choice whose texts are ``<group>.<name>_<value>``; "" means all."""
    options = [(v, words(f"{group}.{name}_{v}")) if v else _every(words) for v in values]
    return Choice(name, words(f"filter.{name}"), options)


def _every(words: Words) -> tuple[str, str]:
    return "", words("filter.all")


def _field(field: Field, value: str) -> str:
    label = escape(field.label)
    if isinstance(field, Search):
        return (
            f'<label>{label}<input type="search" name="{field.name}" maxlength="80"'
            f' value="{escape(value, quote=True)}"></label>'
        )
    if isinstance(field, Moment | Day):
        kind = "date" if isinstance(field, Day) else "datetime-local"
        return (
            f'<label>{label}<input type="{kind}" name="{field.name}"'
            f' value="{escape(value, quote=True)}"></label>'
        )
    options = "".join(
        f'<option value="{escape(v, quote=True)}"{" selected" if v == value else ""}>'
        f"{escape(text)}</option>"
        for v, text in field.options
    )
    select = f'<select name="{field.name}" onchange="this.form.requestSubmit()">{options}</select>'
    return f"<label>{label}{select}</label>"
