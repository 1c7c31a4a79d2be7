"""The road signs that plans command, as things: where they stand, and on which feeder."""

from catalog.thing.model import Placed
from sites.chengdu.devices.sign import DEVICES

THINGS = tuple(
    Placed(
        id=sign.id,
        title=sign.title,
        lon=sign.at[0],
        lat=sign.at[1],
        attributes={"lines": sign.screen.lines, "width": sign.screen.width},
        sensor=sign.parent or "",
    )
    for sign in DEVICES
)
