"""Days of the city's calendar in the addresses of pages."""

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

CityDay = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2099, 12, 30))]
"""A day near enough that the one before and after exist as well."""
DayAsked = Annotated[CityDay | None, BeforeValidator(lambda given: given or None)]
"""The same from a form, whose field may be empty."""
