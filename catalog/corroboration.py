"""What bears out an alert that rests on a doubtful value."""

from pydantic import Field

from catalog.base import Frozen


class Corroboration(Frozen):
    """Another signal that confirms an alert in doubt: an open alert of ``rule``, near enough.

    ``rule`` is written ``<stream>.<rule>``, and may be the rule itself: then it is a neighbour's.
    ``within_km`` is how far that sensor may stand; 0 = it is another quantity of the same sensor.
    """

    rule: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")
    within_km: float = Field(default=0.0, ge=0, le=50)
