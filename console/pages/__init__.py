"""The pages: each module here holds one, ``PAGE``, found and mounted by itself."""

import importlib
import pkgutil

from console.auth import Desk
from console.frame import register


def mount(desk: Desk) -> None:
    """Register every page with NiceGUI."""
    names = [f"{__name__}.{found.name}" for found in pkgutil.iter_modules(__path__)]
    register(desk, [importlib.import_module(name).PAGE for name in names])
