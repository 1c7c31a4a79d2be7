"""The 20 county-level divisions of Chengdu by GB/T 2260, with well-known streets of each.

Coordinates are those of the seats (degrees); populations are rounded from the 2020 census.
"""

from catalog.base import text
from catalog.places import District


def _district(
    code: str, zh: str, en: str, lon: float, lat: float, population: int, streets: str
) -> District:
    return District(
        code=code,
        title=text(zh, en),
        lon=lon,
        lat=lat,
        population=population,
        streets=tuple(streets.split()),
    )


DISTRICTS = {
    d.code: d
    for d in (
        _district(
            "510104",
            "锦江区",
            "Jinjiang",
            104.1174,
            30.5981,
            900_000,
            "春熙路街道 书院街街道 三圣街道 狮子山街道 成龙路街道",
        ),
        _district(
            "510105",
            "青羊区",
            "Qingyang",
            104.0629,
            30.6749,
            960_000,
            "少城街道 草堂街道 府南街道 金沙街道 苏坡街道",
        ),
        _district(
            "510106",
            "金牛区",
            "Jinniu",
            104.0523,
            30.6913,
            1_270_000,
            "驷马桥街道 茶店子街道 抚琴街道 九里堤街道 天回镇街道",
        ),
        _district(
            "510107",
            "武侯区",
            "Wuhou",
            104.0431,
            30.6424,
            1_210_000,
            "浆洗街街道 玉林街道 望江路街道 晋阳街道 红牌楼街道",
        ),
        _district(
            "510108",
            "成华区",
            "Chenghua",
            104.1019,
            30.6598,
            1_380_000,
            "猛追湾街道 双桥子街道 府青路街道 万年场街道 龙潭街道",
        ),
        _district(
            "510112",
            "龙泉驿区",
            "Longquanyi",
            104.2747,
            30.5566,
            1_350_000,
            "龙泉街道 大面街道 十陵街道",
        ),
        _district(
            "510113", "青白江区", "Qingbaijiang", 104.2512, 30.8785, 490_000, "大弯街道 大同街道"
        ),
        _district(
            "510114", "新都区", "Xindu", 104.158, 30.824, 1_560_000, "新都街道 大丰街道 三河街道"
        ),
        _district(
            "510115", "温江区", "Wenjiang", 103.8559, 30.6814, 970_000, "柳城街道 涌泉街道 公平街道"
        ),
        _district(
            "510116",
            "双流区",
            "Shuangliu",
            103.9238,
            30.5745,
            1_470_000,
            "东升街道 西航港街道 九江街道",
        ),
        _district(
            "510117", "郫都区", "Pidu", 103.9026, 30.7959, 1_390_000, "郫筒街道 犀浦街道 红光街道"
        ),
        _district("510118", "新津区", "Xinjin", 103.8115, 30.4101, 360_000, "五津街道 花源街道"),
        _district("510121", "金堂县", "Jintang", 104.4121, 30.862, 800_000, "赵镇街道 淮口街道"),
        _district("510129", "大邑县", "Dayi", 103.5207, 30.5876, 520_000, "晋原街道 安仁镇"),
        _district("510131", "蒲江县", "Pujiang", 103.5063, 30.1968, 260_000, "鹤山街道 寿安街道"),
        _district(
            "510181", "都江堰市", "Dujiangyan", 103.6466, 30.9884, 710_000, "灌口街道 奎光塔街道"
        ),
        _district("510182", "彭州市", "Pengzhou", 103.9581, 30.9902, 780_000, "天彭街道 致和街道"),
        _district("510183", "邛崃市", "Qionglai", 103.4644, 30.4103, 600_000, "临邛街道 羊安街道"),
        _district("510184", "崇州市", "Chongzhou", 103.6729, 30.6302, 740_000, "崇阳街道 羊马街道"),
        _district(
            "510185", "简阳市", "Jianyang", 104.5472, 30.4115, 1_120_000, "射洪坝街道 石桥街道"
        ),
    )
}
"""Districts by code, central ones first."""

CENTRAL = ("510104", "510105", "510106", "510107", "510108")
