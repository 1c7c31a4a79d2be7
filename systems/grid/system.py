"""Power grid: title, place on the screens, and category of its public warnings."""

from catalog.model import text
from catalog.system import System

SYSTEM = System(
    name="grid",
    title=text("电网运行", "Power grid"),
    icon="bolt",
    position=40,
    category="Infra",
)
