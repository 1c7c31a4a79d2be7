"""What a case may be about: 40 subclasses of parts (部件) and events (事件), by whom, how fast.

Classes follow GB/T 30428.2; its code list was not read, so codes are the platform's own: P or E,
two digits of class, two of subclass. Limits of exposed rubbish, rubble, dirty roads and water and
ponding are of published city tables; all others are engineering values of the same order.
"""

from dataclasses import dataclass

from catalog.base import Text, text
from catalog.lifecycle.calendar import Limit, Unit
from catalog.lifecycle.fields import Choice

DEPARTMENTS: dict[str, Text] = {
    "enforcement": text("城管执法", "Urban enforcement"),
    "sanitation": text("环卫", "Sanitation"),
    "lighting": text("城市照明", "Street lighting"),
    "roads": text("市政道桥", "Roads and bridges"),
    "drainage": text("排水管网", "Drainage"),
    "greening": text("园林绿化", "Parks and greening"),
    "traffic_police": text("公安交管", "Traffic police"),
    "construction": text("住建", "Housing and construction"),
    "environment": text("生态环境", "Environment"),
    "water": text("水务", "Water"),
    "power": text("供电", "Power supply"),
    "telecom": text("通信", "Telecom"),
}
CLASSES: dict[str, Text] = {
    "P01": text("公用设施", "Public utilities"),
    "P02": text("交通设施", "Traffic facilities"),
    "P03": text("市容环境设施", "Cleanliness facilities"),
    "P04": text("园林绿化设施", "Greening facilities"),
    "P05": text("其他部件", "Other parts"),
    "E01": text("市容环境", "Cleanliness"),
    "E02": text("宣传广告", "Advertising"),
    "E03": text("施工管理", "Construction sites"),
    "E04": text("突发事件", "Sudden events"),
    "E05": text("街面秩序", "Street order"),
    "E06": text("其他事件", "Other events"),
}


@dataclass(frozen=True, slots=True)
class Subclass:
    """One subclass: who deals with it, within which limit."""

    code: str
    title: Text
    department: str
    limit: Limit


def _sub(code: str, zh: str, en: str, department: str, amount: float, unit: Unit) -> Subclass:
    return Subclass(code, text(zh, en), department, Limit(amount=amount, unit=unit))


SUBCLASSES: tuple[Subclass, ...] = (
    _sub("P0101", "雨水井盖", "Storm drain cover", "drainage", 4, "urgent_hours"),
    _sub("P0102", "污水井盖", "Sewer cover", "drainage", 4, "urgent_hours"),
    _sub("P0103", "供水井盖", "Water cover", "water", 4, "urgent_hours"),
    _sub("P0104", "电力井盖", "Power cover", "power", 4, "urgent_hours"),
    _sub("P0105", "通信井盖", "Telecom cover", "telecom", 4, "urgent_hours"),
    _sub("P0106", "路灯", "Street lamp", "lighting", 2, "working_days"),
    _sub("P0107", "景观灯", "Landscape lighting", "lighting", 5, "working_days"),
    _sub("P0108", "电力杆", "Power pole", "power", 3, "working_days"),
    _sub("P0109", "通信交接箱", "Telecom cabinet", "telecom", 5, "working_days"),
    _sub("P0110", "消火栓", "Fire hydrant", "water", 1, "working_days"),
    _sub("P0201", "交通信号灯", "Traffic signal", "traffic_police", 4, "urgent_hours"),
    _sub("P0202", "交通标志牌", "Traffic sign", "traffic_police", 3, "working_days"),
    _sub("P0203", "道路护栏", "Guard rail", "roads", 3, "working_days"),
    _sub("P0204", "车行道", "Carriageway", "roads", 5, "working_days"),
    _sub("P0205", "人行道", "Pavement", "roads", 7, "working_days"),
    _sub("P0206", "桥梁", "Bridge", "roads", 1, "working_days"),
    _sub("P0301", "果皮箱", "Litter bin", "sanitation", 2, "working_days"),
    _sub("P0302", "公共厕所", "Public toilet", "sanitation", 1, "working_days"),
    _sub("P0303", "垃圾收集点", "Rubbish station", "sanitation", 4, "working_hours"),
    _sub("P0401", "行道树", "Street tree", "greening", 3, "working_days"),
    _sub("P0402", "绿地设施", "Park furniture", "greening", 5, "working_days"),
    _sub("P0501", "工地围挡", "Site hoarding", "construction", 2, "working_days"),
    _sub("E0101", "暴露垃圾", "Exposed rubbish", "sanitation", 4, "working_hours"),
    _sub("E0102", "建筑垃圾", "Rubble", "sanitation", 4, "working_hours"),
    _sub("E0103", "道路不洁", "Dirty road", "sanitation", 5, "working_hours"),
    _sub("E0104", "水域不洁", "Dirty water", "water", 15, "working_hours"),
    _sub("E0105", "绿地脏乱", "Dirty green space", "greening", 4, "working_hours"),
    _sub("E0106", "油烟污染", "Kitchen fumes", "environment", 3, "working_days"),
    _sub("E0201", "非法小广告", "Fly posting", "enforcement", 4, "working_hours"),
    _sub("E0202", "违规户外广告", "Illegal billboard", "enforcement", 7, "working_days"),
    _sub("E0301", "施工扬尘", "Site dust", "construction", 4, "working_hours"),
    _sub("E0302", "施工扰民", "Site noise", "environment", 4, "working_hours"),
    _sub("E0303", "道路遗撒", "Spilled load", "enforcement", 2, "urgent_hours"),
    _sub("E0401", "路面积水", "Ponding", "drainage", 4, "urgent_hours"),
    _sub("E0402", "路面塌陷", "Road collapse", "roads", 2, "urgent_hours"),
    _sub("E0403", "供水管线破裂", "Burst water main", "water", 2, "urgent_hours"),
    _sub("E0501", "占道经营", "Street vending", "enforcement", 2, "working_hours"),
    _sub("E0502", "机动车乱停放", "Illegal parking", "traffic_police", 2, "working_hours"),
    _sub("E0503", "非机动车乱停放", "Stray bicycles", "enforcement", 2, "working_hours"),
    _sub("E0601", "私搭乱建", "Illegal building", "enforcement", 15, "working_days"),
)
BY_CODE = {sub.code: sub for sub in SUBCLASSES}
CHECK_SHARE = 1.5
"""The whole case may take so many times the limit of handling: accept, dispatch, check besides."""


def subclass_choices() -> tuple[Choice, ...]:
    """Return the subclasses as choices, each under its class."""
    return tuple(
        Choice(name=sub.code, title=sub.title, parent=CLASSES[sub.code[:3]]) for sub in SUBCLASSES
    )


def handling_limits(times: float = 1.0) -> dict[str, Limit]:
    """Return the limit of each subclass, multiplied."""
    return {s.code: Limit(amount=s.limit.amount * times, unit=s.limit.unit) for s in SUBCLASSES}
