"""Road section: lane detectors and links of one street."""

from catalog.joint import JointRule, Signals
from catalog.model import levels, text

JOINT = JointRule(
    name="road_section",
    domain="traffic",
    title=text("路段运行异常", "Road section behaves unusually"),
    signals=(
        Signals(stream="traffic_flow", metrics=("flow_veh_h", "speed_km_h", "occupancy_pct")),
        Signals(stream="traffic_link", metrics=("travel_time_s", "speed_ratio")),
    ),
    by="street",
    thresholds=levels(blue=4.0),
    advice=text(
        "调看视频，核查事故、施工或管制", "Look at the camera: accident, works or a closure?"
    ),
)
