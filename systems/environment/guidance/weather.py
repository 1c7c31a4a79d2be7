"""The weather forecast for the city and its districts, as a weather service issues it.

An hourly series of values at moments, rain as its rate. Spans are those of the weather stations.
"""

from catalog.base import text
from catalog.guidance import Guidance, Quantity

GUIDANCE = Guidance(
    name="weather",
    title=text("天气预报", "Weather forecast"),
    quantities=(
        Quantity(name="temp_c", title=text("气温", "Air temperature"), unit="°C", span=(-20, 50)),
        Quantity(name="wind_m_s", title=text("风速", "Wind speed"), unit="m/s", span=(0, 75)),
        Quantity(name="rain_mm_h", title=text("雨强", "Rain rate"), unit="mm/h", span=(0, 300)),
        Quantity(name="cloud_pct", title=text("云量", "Cloud cover"), unit="%", span=(0, 100)),
    ),
    delay_s=1800,
)
