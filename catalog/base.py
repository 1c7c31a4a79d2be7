"""What every declaration stands on: frozen models, texts in two languages, severities, sources."""

from datetime import date
from enum import IntEnum
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Floats = NDArray[np.float64]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Span = tuple[float, float]


class Frozen(BaseModel):
    """Base of all declarations: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Text(Frozen):
    """One label in both languages of the platform."""

    zh: str
    en: str


def text(zh: str, en: str) -> Text:
    """Return one label in both languages."""
    return Text(zh=zh, en=en)


class Severity(IntEnum):
    """Four warning levels of the Emergency Response Law of the PRC, art. 42; I is the highest."""

    RED = 1
    ORANGE = 2
    YELLOW = 3
    BLUE = 4


class Source(Frozen):
    """Where a number comes from: a standard with its clause, or ``engineering``.

    ``verified`` is true only when the number was read in the official text or a cited copy.
    """

    standard: str
    clause: str = ""
    effective_from: date | None = None
    effective_to: date | None = None
    verified: bool = False

    def in_force(self, day: date) -> bool:
        """Tell whether the number holds on a day."""
        begun = self.effective_from is None or self.effective_from <= day
        return begun and (self.effective_to is None or day <= self.effective_to)


ENGINEERING = Source(standard="engineering")


class Flap(Frozen):
    """Flag a subject whose rule is raised or changes level ``changes`` times within the window."""

    changes: int = Field(default=6, ge=2)
    window_s: float = 1800.0
