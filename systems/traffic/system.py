"""Traffic: title, place on the screens, and category of its public warnings."""

from catalog.model import text
from catalog.system import System

SYSTEM = System(
    name="traffic",
    title=text("交通运行", "Traffic"),
    icon="directions_car",
    position=10,
    category="Transport",
)
