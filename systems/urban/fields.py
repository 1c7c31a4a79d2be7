"""What a case holds: what, where from, who has it, what came of it."""

from catalog.base import text
from catalog.lifecycle.fields import Choice, RecordField
from systems.urban.subclasses import DEPARTMENTS, subclass_choices

SOURCES = (
    Choice(name="collector", title=text("信息采集员", "Collector")),
    Choice(name="hotline", title=text("热线", "Hotline")),
    Choice(name="citizen", title=text("市民上报", "Citizen")),
    Choice(name="leader", title=text("领导交办", "Leadership")),
    Choice(name="transfer", title=text("其他平台转办", "Other platform")),
    Choice(name="sensor", title=text("传感器告警", "Sensor alert")),
)


def _choice(name: str, zh: str, en: str) -> Choice:
    return Choice(name=name, title=text(zh, en))


FIELDS = (
    RecordField(
        name="subclass",
        title=text("小类", "Subclass"),
        kind="choice",
        choices=subclass_choices(),
        required=True,
        public=True,
    ),
    RecordField(
        name="description", title=text("问题描述", "Description"), longest=2000, public=True
    ),
    RecordField(
        name="source",
        title=text("来源", "Source"),
        kind="choice",
        choices=SOURCES,
        required=True,
        fixed=True,
    ),
    RecordField(name="photos", title=text("上报照片", "Photos"), kind="files", public=True),
    RecordField(name="phone", title=text("联系电话", "Phone"), longest=40, fixed=True),
    RecordField(name="sensor", title=text("传感器", "Sensor"), longest=100, fixed=True),
    RecordField(
        name="thing",
        title=text("设施", "Thing"),
        kind="thing",
        things=("lamp", "bin", "bridge"),
        longest=80,
        public=True,
    ),
    RecordField(
        name="collector",
        title=text("采集岗位", "Collector's post"),
        kind="thing",
        things=("collector",),
        longest=80,
    ),
    RecordField(
        name="department",
        title=text("责任单位", "Department"),
        kind="choice",
        choices=tuple(Choice(name=n, title=t) for n, t in DEPARTMENTS.items()),
        public=True,
    ),
    RecordField(
        name="exists",
        title=text("核实结果", "Verified"),
        kind="choice",
        choices=(
            _choice("exist", "属实", "Exists"),
            _choice("not_exist", "不属实", "Does not exist"),
            _choice("unable", "无法核实", "Could not be verified"),
        ),
    ),
    RecordField(name="measures", title=text("处置情况", "Measures"), longest=2000, public=True),
    RecordField(name="photos_after", title=text("处置后照片", "Photos after"), kind="files"),
    RecordField(name="delay", title=text("延期时长", "More time"), kind="number", ge=0.5, le=60),
    RecordField(
        name="supervision",
        title=text("督办类型", "Supervision"),
        kind="choice",
        choices=(
            _choice("overdue", "超期督办", "Overdue"),
            _choice("leader", "领导督办", "Leadership"),
            _choice("key", "重点督办", "Key case"),
        ),
    ),
)
