"""Gas: title, place on the screens, and category of its public warnings."""

from catalog.model import text
from catalog.system import System

SYSTEM = System(
    name="gas",
    title=text("智能气网", "Gas network"),
    icon="propane_tank",
    position=50,
    category="Safety",
)
