"""A link has become slow at once: an accident, a breakdown, a closure; somebody is to look."""

from catalog.base import text
from catalog.detection import Detection, Fall

DETECTION = Detection(
    name="speed_drop",
    title=text("车速骤降", "Speed drop"),
    stream="traffic_link",
    metric="speed_ratio",
    # half of usual for three of four minutes; below 0.3 the link was jammed before
    fall=Fall(share=0.5, over=0.8, hits=3, of=4, least=0.3),
    record="traffic_event",
    fields={"category": "congestion", "lanes": "some"},
    passes=("dismiss", "passed"),
)
