"""Water: title, place on the screens, and category of its public warnings."""

from catalog.model import text
from catalog.system import System

SYSTEM = System(
    name="water",
    title=text("水务防汛", "Water"),
    icon="water_drop",
    position=30,
    category="Met",
)
