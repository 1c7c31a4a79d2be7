"""River gauges of the Jin, Fu, Nan, Min and Tuo."""

from catalog.model import text
from catalog.places import Station

SYNTHETIC = {
    "bed_level_m": 484.0,
    "warning_level_m": 487.5,
    "guarantee_level_m": 488.8,
    "highest_level_m": 490.2,
}

STATIONS = (
    Station(
        id="river-dongzikou",
        title=text("府河 洞子口（水位为虚拟值）", "Fu River at Dongzikou (levels invented)"),
        lon=104.040,
        lat=30.710,
        district="510106",
        street="九里堤街道",
        attributes=SYNTHETIC,
    ),
    Station(
        id="river-hejiangting",
        title=text("锦江 合江亭（水位为虚拟值）", "Jin River at Hejiangting (levels invented)"),
        lon=104.087,
        lat=30.648,
        district="510104",
        street="春熙路街道",
        attributes=SYNTHETIC,
        parent="river-dongzikou",
    ),
    Station(
        id="river-wangjianglou",
        title=text("锦江 望江楼（水位为虚拟值）", "Jin River at Wangjianglou (levels invented)"),
        lon=104.097,
        lat=30.633,
        district="510107",
        street="望江路街道",
        attributes=SYNTHETIC,
        parent="river-hejiangting",
    ),
    Station(
        id="river-sanhuangmiao",
        title=text("沱江 三皇庙", "Tuo River at Sanhuangmiao"),
        lon=104.412,
        lat=30.862,
        district="510121",
        street="赵镇街道",
        attributes={
            "bed_level_m": 434.0,
            "warning_level_m": 440.55,
            "guarantee_level_m": 442.84,
            "highest_level_m": 446.29,
        },
    ),
    Station(
        id="river-dujiangyan",
        title=text("岷江 都江堰（水位为虚拟值）", "Min River at Dujiangyan (levels invented)"),
        lon=103.610,
        lat=31.000,
        district="510181",
        street="灌口街道",
        attributes={
            "bed_level_m": 724.0,
            "warning_level_m": 728.5,
            "guarantee_level_m": 730.0,
            "highest_level_m": 731.5,
        },
    ),
    Station(
        id="river-jinmahe",
        title=text("金马河 温江（水位为虚拟值）", "Jinma River at Wenjiang (levels invented)"),
        lon=103.830,
        lat=30.690,
        district="510115",
        street="柳城街道",
        attributes={
            "bed_level_m": 530.0,
            "warning_level_m": 535.0,
            "guarantee_level_m": 536.5,
            "highest_level_m": 538.0,
        },
        parent="river-dujiangyan",
    ),
)
