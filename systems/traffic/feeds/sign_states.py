"""What the road signs show, for other operators: after DATEX II's VMS publications, as JSON."""

from catalog.base import text
from catalog.feed import DeviceStates, Feed

FEED = Feed(
    name="sign_states",
    title=text("诱导屏显示内容", "What road signs show"),
    shows=DeviceStates(device="sign"),
    ttl_s=10,
    licence="CC-BY-4.0",
)
