"""The declaration model of guidance: forecasts that others make, which ours may use.

One file in a system's ``guidance/`` declares one kind, the weather say: a module with one name,
``GUIDANCE``. Who issues it, and how it is fetched, is the business of the place where the platform
runs (``CITYOPS_GUIDANCE``, docs/forecasts.md).
"""

from functools import cache

from pydantic import Field, model_validator

from catalog.base import Frozen, Name, Span, Text
from catalog.declared import DeclarationError, files_of, load_named


class Quantity(Frozen):
    """One quantity that is forecast: its unit, and the span outside of which a value is refused."""

    name: Name
    title: Text
    unit: str
    span: Span


class Guidance(Frozen):
    """One kind of forecast by others, for the city or its districts, by hours or coarser steps.

    ``delay_s`` is how long after its issue it usually arrives. What is loaded from an archive
    counts as known from then on; what is fetched live from when it did arrive. ``step_s`` is the
    widest step between two of its times that is bridged by a straight line.
    """

    name: Name
    title: Text
    quantities: tuple[Quantity, ...] = Field(min_length=1)
    delay_s: int = Field(default=0, ge=0)
    ahead_h: int = Field(default=72, ge=1, le=240)
    step_s: int = Field(default=3 * 3600, ge=3600)

    @model_validator(mode="after")
    def _names_differ(self) -> "Guidance":
        names = [q.name for q in self.quantities]
        if len(set(names)) < len(names):
            raise ValueError(f"{self.name}: two quantities have one name")
        return self

    def quantity(self, name: str) -> Quantity | None:
        """Return a quantity by name; None when there is none."""
        return next((q for q in self.quantities if q.name == name), None)


@cache
def guidances() -> dict[str, Guidance]:
    """Return all declared kinds of guidance by name; read once per process."""
    found: dict[str, Guidance] = {}
    for file in files_of("guidance"):
        if file.stem in found:
            raise DeclarationError(f"{file}: guidance named {file.stem!r} exists already")
        found[file.stem] = load_named(file, "GUIDANCE", Guidance)
    return found


def unknown_guidance(names: tuple[str, ...]) -> list[str]:
    """Return those of ``<guidance>.<quantity>`` that nobody declares."""
    known = {f"{g.name}.{q.name}" for g in guidances().values() for q in g.quantities}
    return [name for name in names if name not in known]
