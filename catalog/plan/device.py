"""Devices that plans command: signs of the site, where they stand, what they can show.

``sites/<city>/devices/<kind>.py`` has a name ``DEVICES``. Their addresses are a setting
(``CITYOPS_DEVICES``), not part of the city.
"""

from functools import cache

from pydantic import Field

from catalog.base import Frozen, Name, Text
from catalog.declared import DeclarationError, load
from catalog.network import networks
from catalog.site import Point, site_folder


class Screen(Frozen):
    """How much a sign shows: pages of lines of full-width characters."""

    lines: int = Field(default=2, ge=1, le=10)
    width: int = Field(default=10, ge=4, le=40)
    pages: int = Field(default=2, ge=1, le=10)
    page_s: float = Field(default=3.0, ge=3.0, le=30.0)


class Device(Frozen):
    """One device at a node of a network; who passes it goes on ``towards`` the next node.

    ``parent`` is the sensor of what feeds it: without power it is dark.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")
    title: Text
    network: Name
    node: str
    towards: str
    screen: Screen = Screen()
    parent: str | None = None

    @property
    def at(self) -> Point:
        """Where it stands."""
        return networks()[self.network].nodes[self.node]


@cache
def devices() -> dict[str, dict[str, Device]]:
    """Return the site's devices: kind → id → device; read once per process."""
    files = sorted((site_folder() / "devices").glob("[a-z]*.py"))
    return {file.stem: _load(file.stem) for file in files}


def _load(kind: str) -> dict[str, Device]:
    path = site_folder() / "devices" / f"{kind}.py"
    found: dict[str, Device] = {}
    for device in load(path, "DEVICES", tuple):
        if not isinstance(device, Device) or device.id in found:
            raise DeclarationError(f"{path}: {device!r} is no device, or stands there twice")
        network = networks().get(device.network)
        if network is None or not {device.node, device.towards} <= set(network.nodes):
            raise DeclarationError(f"{path}: {device.id} stands on no node of a network")
        if not any({k.start, k.end} == {device.node, device.towards} for k in network.links):
            raise DeclarationError(f"{path}: {device.id}: no link to {device.towards}")
        found[device.id] = device
    return found
