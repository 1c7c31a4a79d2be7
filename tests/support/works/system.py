"""A system outside the tree."""

from catalog.model import text
from catalog.system import System

SYSTEM = System(name="works", title=text("维修", "Works"), icon="build", position=95)
