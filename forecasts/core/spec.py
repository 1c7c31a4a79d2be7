"""What is forecast and how: the choices that a declaration makes, and those that were measured."""

from dataclasses import dataclass

DAY_S = 86_400
WEEK_DAYS = 7
USUAL_DAYS = 28
MEMBERS = ("persistence", "seasonal_day", "seasonal_week", "damped", "ridge", "usual", "blend")
"""The forecasts that are blended, in the order of their axis; then what comes of them."""
PERSISTENCE, SEASONAL_DAY, SEASONAL_WEEK, DAMPED, RIDGE, USUAL, BLEND = range(len(MEMBERS))
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
"""The issued quantiles, in the order of their axis: bands of 80 % and 95 %, and the median."""
LOW95, LOW80, MEDIAN, HIGH80, HIGH95 = range(len(QUANTILES))


@dataclass(frozen=True, slots=True)
class Spec:
    """How a set of series is forecast. ``leads`` are in steps and rise; spans are in the unit.

    ``log``: forecast the logarithm of value + ``offset``, for heavy tails above zero. ``weekly``:
    weeks mean something. The rest was measured (docs/forecasts.md).
    """

    step_s: int
    leads: tuple[int, ...]
    weekly: bool = True
    log: bool = False
    offset: float = 1.0
    low: float = float("-inf")
    high: float = float("inf")
    stride: int = 1
    """Every how many steps an origin is kept and scored."""
    train_days: int = 42
    penalty: float = 0.2
    """Of the ridge, per row, on standardised features."""
    memory_days: float = 7.0
    """How fast live errors fade in the weights."""
    window_days: int = 21
    """How many days of live errors make the bands."""
    fade_days: float = 10.0
    slot_hours: float = 3.0

    @property
    def day(self) -> int:
        """Steps of a day."""
        return DAY_S // self.step_s

    @property
    def week(self) -> int:
        """Steps of a week."""
        return WEEK_DAYS * self.day

    @property
    def warm(self) -> int:
        """Steps before the first origin that has what it needs: eight days."""
        return self.week + self.day
