"""The HTTP API: each module here that has a ``router`` is mounted by itself.

Path prefix: ``/api/v1``, or the module's own in ``PREFIXES``. A module needs nothing but::

    router = APIRouter(tags=["things"])
"""

import importlib
import pkgutil

from fastapi import APIRouter, FastAPI

from console.records.api import routers
from console.records.open311 import router_of

PREFIX = "/api/v1"
PREFIXES = {"alertmanager": "/api/v2", "incoming": "/api/v1/incoming"}


def mount(app: FastAPI) -> None:
    """Mount every router of this package, in name order."""
    for found in pkgutil.iter_modules(__path__):
        router = getattr(importlib.import_module(f"{__name__}.{found.name}"), "router", None)
        if isinstance(router, APIRouter):
            app.include_router(router, prefix=PREFIXES.get(found.name, PREFIX))
    for router in routers():
        app.include_router(router, prefix=PREFIX)
    if public := router_of():
        app.include_router(public)
