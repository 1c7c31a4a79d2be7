"""Environment: title, place on the screens, and category of its public warnings."""

from catalog.model import text
from catalog.system import System

SYSTEM = System(
    name="environment",
    title=text("生态环境", "Environment"),
    icon="eco",
    position=20,
    category="Env",
)
