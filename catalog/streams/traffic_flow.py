"""Lane detectors: flow, speed and occupancy."""

from catalog.model import (
    AbsenceRule,
    Derived,
    FlatLine,
    HealthRule,
    Metric,
    Placement,
    Relation,
    SmartDataModel,
    Stream,
    StreamAbsenceRule,
    ThresholdRule,
    levels,
    text,
)
from catalog.standards.simple import flow_without_speed, traffic_speed

STREAM = Stream(
    name="traffic_flow",
    domain="traffic",
    title=text("车道交通流", "Lane traffic flow"),
    cadence_s=20,
    lateness_s=120,
    headline="speed_km_h",
    metrics=(
        Metric(
            name="flow_veh_h",
            unit="veh/h",
            title=text("流量", "Flow"),
            decimals=0,
            fail_span=(0, 3000),
            suspect_span=(0, 2400),
            spike=(600, 1200),
            typical=(100, 1400),
        ),
        Metric(
            name="speed_km_h",
            unit="km/h",
            title=text("速度", "Speed"),
            fail_span=(0, 200),
            suspect_span=(0, 130),
            spike=(30, 60),
            flat=FlatLine(suspect_s=1800, fail_s=7200, ignore_zero=True),
            typical=(25, 62),
        ),
        Metric(
            name="occupancy_pct",
            unit="%",
            title=text("占有率", "Occupancy"),
            fail_span=(0, 100),
            suspect_span=(0, 95),
            spike=(40, 80),
            typical=(3, 28),
        ),
    ),
    derived=(
        Derived(
            name="traffic_speed_km_h",
            unit="km/h",
            title=text("车流速度（空车道按自由流）", "Speed of traffic (empty lane: free)"),
            decimals=1,
            of=("speed_km_h", "occupancy_pct"),
            by=traffic_speed,
            typical=(25, 62),
        ),
    ),
    relations=(
        Relation(
            name="flow_without_speed",
            title=text("有流量而速度为零", "Flow without speed"),
            of=("flow_veh_h", "speed_km_h"),
            marks=("flow_veh_h", "speed_km_h"),
            broken=flow_without_speed,
        ),
    ),
    rules=(
        ThresholdRule(
            name="standstill",
            title=text("车流近乎停滞", "Traffic near standstill"),
            metric="traffic_speed_km_h",
            op="<=",
            thresholds=levels(yellow=10.0, orange=6.0),
            deadband=2.0,
            for_s=180,
            clear_s=120,
            advice=text("调看路口视频并通知交警疏导", "Check the camera and call traffic police"),
        ),
        AbsenceRule(after_s=120),
        StreamAbsenceRule(after_s=120),
        HealthRule(),
    ),
    placement=Placement(per_district=3, parent_stream="feeder"),
    smart_data_model=SmartDataModel(
        model="TrafficFlowObserved",
        version="0.0.1",
        fields={
            "flow_veh_h": "intensity",
            "speed_km_h": "averageVehicleSpeed",
            "occupancy_pct": "occupancy",
        },
    ),
)
