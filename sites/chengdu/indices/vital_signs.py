"""城市体征: is the city well, by district. Weights and the ends of the scales are engineering.

Leaves of safety count alerts of limits that cite their standards; a red one caps all above it.
"""

from catalog.base import Severity, text
from catalog.index import AlertCount, Branch, Index, Leaf, Level, Reporting, Share


def _safety(name: str, zh: str, en: str, weight: float, *rules: str) -> Leaf:
    """Return a leaf that is full when no sensor alerts, and empty when one in five does."""
    return Leaf(
        name=name,
        title=text(zh, en),
        weight=weight,
        of=AlertCount(rules=rules, worst=Severity.YELLOW, fresh_s=900),
        good=100,
        bad=80,
        safety=True,
    )


def _quiet(name: str, zh: str, en: str, weight: float, *rules: str) -> Leaf:
    """Return a leaf that is full when no sensor alerts, and empty when two in five do."""
    return Leaf(
        name=name,
        title=text(zh, en),
        weight=weight,
        of=AlertCount(rules=rules, fresh_s=3600),
        good=100,
        bad=60,
    )


SAFETY = Branch(
    name="safety",
    title=text("安全运行", "Safety"),
    weight=35,
    parts=(
        _safety("ponding", "道路积水", "Ponding", 3, "waterlogging.ponding"),
        _safety("rivers", "江河水位", "River levels", 2, "river_level.flood"),
        _safety("gas", "燃气", "Gas", 3, "gas_well.methane", "gas_station.outlet_high"),
        _safety("hazard", "重大危险源", "Hazardous units", 3, "gas_detector.*", "tank.*_high"),
        _safety("bridges", "桥梁", "Bridges", 2, "bridge.load", "bridge.tilt", "bridge.shock"),
    ),
)
TRAFFIC = Branch(
    name="traffic",
    title=text("交通运行", "Traffic"),
    weight=15,
    parts=(
        Leaf(
            name="speed",
            title=text("路网速度比", "Speed to free flow"),
            weight=2,
            of=Level(stream="traffic_link", metric="speed_ratio", fresh_s=600),
            good=0.9,
            bad=0.3,
        ),
        _quiet("jams", "拥堵路段", "Jammed links", 1, "traffic_link.congestion"),
    ),
)
ENVIRONMENT = Branch(
    name="environment",
    title=text("生态环境", "Environment"),
    weight=15,
    parts=(
        Leaf(
            name="pm25",
            title=text("细颗粒物 PM2.5", "PM2.5"),
            weight=2,
            # from the annual to the daily limit's double (GB 3095); the ends are engineering
            of=Level(stream="air_quality", metric="pm25", fresh_s=7200),
            good=35,
            bad=150,
        ),
        _quiet("noise", "噪声超标", "Noise", 1, "noise.day", "noise.night"),
        _quiet("dust", "扬尘工地", "Dust of sites", 1, "dust_site.tsp"),
    ),
)
SUPPLY = Branch(
    name="supply",
    title=text("市政供应", "Supply"),
    weight=15,
    parts=(
        _quiet("water", "供水", "Water", 1, "water_supply.*"),
        _quiet("power", "供电", "Power", 1, "feeder.*", "transformer.*"),
        _quiet("light", "城市照明", "Street lights", 1, "lamp_circuit.dark"),
    ),
)
MANAGEMENT = Branch(
    name="management",
    title=text("城市管理", "Management"),
    weight=10,
    parts=(
        Leaf(
            name="cases",
            title=text("案件按期结案率", "Cases closed in time"),
            weight=1,
            of=Share(record="case", kpi="closed_in_time", days=30),
            good=95,
            bad=60,
        ),
    ),
)
DATA = Branch(
    name="data",
    title=text("感知在线", "Sensing"),
    weight=10,
    parts=(
        Leaf(
            name="reporting",
            title=text("传感器在线率", "Sensors that report"),
            weight=1,
            of=Reporting(),
            good=98,
            bad=80,
            least=0.01,
        ),
    ),
)
INDEX = Index(
    name="vital_signs",
    title=text("城市体征", "Vital signs of the city"),
    tree=Branch(
        name="all",
        title=text("综合指数", "Overall"),
        weight=100,
        parts=(SAFETY, TRAFFIC, ENVIRONMENT, SUPPLY, MANAGEMENT, DATA),
    ),
)
