"""The declaration model of a system: a field of city operation that owns streams and incidents."""

from typing import Literal

from pydantic import Field

from catalog.base import Frozen, Name, Text

Category = Literal[
    "Geo",
    "Met",
    "Safety",
    "Security",
    "Rescue",
    "Fire",
    "Health",
    "Env",
    "Transport",
    "Infra",
    "CBRNE",
    "Other",
]
"""Categories of OASIS CAP 1.2, 3.2.2."""


class System(Frozen):
    """One system of the city, e.g. its water or its traffic.

    A folder ``systems/<name>/`` declares it: ``system.py`` with a name ``SYSTEM``, ``streams/`` and
    ``incidents/`` with one file each, ``simulators/`` with the physics of its streams. Streams,
    routes and screens call it their ``domain``.
    """

    name: Name
    title: Text
    icon: str
    """A name of Material Icons."""
    position: int = Field(default=100, ge=0)
    """Screens show systems in this order, then by name."""
    category: Category = "Infra"
    """What CAP calls warnings of this system."""
