"""Major hazard sources: title, place on the screens, and category of its public warnings."""

from catalog.model import text
from catalog.system import System

SYSTEM = System(
    name="hazard",
    title=text("重大危险源", "Major hazards"),
    icon="science",
    position=60,
    category="CBRNE",
)
