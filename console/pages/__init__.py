"""The pages: each module here holds one, ``PAGE``, found and mounted by itself."""

import importlib
import pkgutil

from console.auth import Desk
from console.frame import Page, register


def all_pages() -> list[Page]:
    """Return every page."""
    names = [f"{__name__}.{found.name}" for found in pkgutil.iter_modules(__path__)]
    return [importlib.import_module(name).PAGE for name in names]


def mount(desk: Desk) -> None:
    """Register every page with NiceGUI."""
    register(desk, all_pages())
