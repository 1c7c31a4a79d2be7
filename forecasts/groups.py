"""What is forecast: a group is one quantity of one stream at one level, all its series together."""

from dataclasses import dataclass

from catalog.forecast import Forecast, Level
from catalog.model import Metric, Stream
from catalog.registry import streams
from forecasts.core.spec import Spec

HOUR_S = 3600
LEADS_H = (1, 2, 3, 4, 5, 6, 9, 12, 15, 18, 21, 24, 30, 36, 48, 60, 72)
SCORED_H = (1, 3, 6, 24, 72)
"""Leads whose scores are kept; the weights and bands learn from all."""
OFFSET_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Group:
    """One quantity of one stream at one level."""

    stream: Stream
    forecast: Forecast
    level: Level

    @property
    def name(self) -> str:
        """Return ``stream.metric@level``, for logs."""
        return f"{self.stream.name}.{self.forecast.of}@{self.level}"

    @property
    def spec(self) -> Spec:
        """Return how the group is forecast."""
        quantity, log = self.stream.quantity(self.forecast.of), self.forecast.transform == "log"
        leads = tuple(lead for lead in LEADS_H if lead <= self.forecast.ahead_h)
        weekly = self.forecast.weekly
        total = self.level != "sensor" and self.stream.overall == "sum"
        if not isinstance(quantity, Metric) or total:
            return Spec(HOUR_S, leads, weekly=weekly, log=log)
        low, high = quantity.fail_span
        offset = max(OFFSET_SHARE * sum(quantity.typical) / 2, 1e-3)
        return Spec(HOUR_S, leads, weekly=weekly, log=log, offset=offset, low=low, high=high)


def groups(stream: str | None = None) -> list[Group]:
    """Return all groups, or those of one stream."""
    return [
        Group(declared, forecast, level)
        for declared in streams().values()
        for forecast in declared.forecast
        for level in forecast.levels
        if stream in (None, declared.name)
    ]
