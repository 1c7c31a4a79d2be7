"""Why an alert is doubtful or withdrawn, or a sensor silent: the worker's words in zh and en."""

from catalog.model import text

REASONS = {
    "device": text("设备自报可疑", "the device doubts it"),
    "gross": text("超出常见范围", "outside the usual range"),
    "rate": text("变化过快", "changes very fast"),
    "jump": text("突变，尚无后续读数", "a jump, no reading since"),
    "flat": text("长时间不变", "unchanged for long"),
    "relation": text("与同站其他指标矛盾", "contradicts its other metrics"),
    "spike": text("孤立尖峰，数值有误", "a lone spike, the value is wrong"),
    "nothing": text("无数据上报", "nothing comes"),
    "never": text("登记后从未上报", "has never sent anything"),
    "late": text("设备时间严重落后", "its times are far behind"),
    "retrained": text("按新模型复核属常态", "normal by the newer model"),
    "relearned": text("持续已久，已作为新常态学习", "lasted so long that it was learned as normal"),
    "unheard": text("数据中断，无法继续判断", "nothing comes that it could be judged by"),
    "forecast": text("系预报，尚未发生", "a forecast, not there yet"),
    "came": text("预报的情况已发生", "what was expected has come"),
    "taken_back": text("预报不再支持", "the forecast does not say so any more"),
    "stayed_away": text("预计时段已过，未发生", "its time has passed and it did not come"),
    "unverified": text("传感器离线，无法验证", "the sensor is silent, nobody can tell"),
    "person": text("经人工核实，数值有误", "found wrong by a person"),
    "silent": text("传感器已离线，以离线告警为准", "it is silent, which says more"),
    "unusable": text("上报数据均不可用", "nothing it sends is usable"),
}
"""By name of the test or of the reason, as in ``Transition.reason``."""
