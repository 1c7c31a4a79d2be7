"""Urban management: title, place on the screens, and category of its public warnings."""

from catalog.model import text
from catalog.system import System

SYSTEM = System(
    name="urban",
    title=text("数字城管", "Urban management"),
    icon="location_city",
    position=50,
    category="Infra",
)
