"""What a stream's declaration says of forecasts; everything but the quantity has a default."""

from typing import Literal

from pydantic import Field

from catalog.base import Frozen, Name

Level = Literal["sensor", "district", "city"]


class Forecast(Frozen):
    """Forecast a metric, rolling or derived quantity of the stream, an hour a step.

    ``with_`` names other quantities of the same sensor that help, used up to the newest hour.
    ``transform="log"`` is for heavy tails above zero (pollutants, rain, travel time). ``weekly`` is
    False where weeks mean nothing (a river). At ``district`` and ``city`` the sensors are first
    made one number as the stream's ``overall`` says, and that number is forecast: quantiles of
    sensors do not add up. ``ahead`` names forecasts of others, ``<guidance>.<quantity>``
    (``weather.wind_m_s``), of the district: only what had been issued before is used.
    """

    of: Name
    ahead_h: int = Field(default=24, ge=1, le=72)
    levels: tuple[Level, ...] = ("sensor",)
    with_: tuple[Name, ...] = ()
    transform: Literal["log"] | None = None
    weekly: bool = True
    ahead: tuple[str, ...] = ()
