"""Kinds of values that people and programs send, with the bounds that the database has."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def _bounded(at: datetime) -> datetime:
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"a time lies between {EARLIEST.year} and {LATEST.year}")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_bounded)]
"""A time with its zone, near enough that a year before or after it exists as well."""
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
"""What a person writes: more than blanks."""
Number = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""The number of a row."""
