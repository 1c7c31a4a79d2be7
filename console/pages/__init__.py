"""The pages: each module here is one page, found and mounted by itself."""

import importlib
import pkgutil

from console.auth import Desk


def mount(desk: Desk) -> None:
    """Register every page with NiceGUI."""
    for found in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{found.name}").register(desk)
