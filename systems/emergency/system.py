"""Emergency response: title, place on the screens, and category of its public warnings."""

from catalog.model import text
from catalog.system import System

SYSTEM = System(
    name="emergency",
    title=text("应急指挥", "Emergency response"),
    icon="campaign",
    position=70,
    category="Rescue",
)
