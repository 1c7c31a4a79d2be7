"""What was wrong, in the words of the person at the desk: refusals are written in English."""

import re

from pydantic import ValidationError

from console.texts import Words

MISTAKES = tuple(
    (re.compile(pattern), zh)
    for pattern, zh in (
        (r"'?(.*?)'? is no matcher.*", "“{0}”不是有效的条件，写法如：区县=武侯区 或 rule=~water.*"),
        (r"no regular expression.*", "匹配表达式有误"),
        (r"ends_at must be after starts_at.*", "结束时间须晚于开始时间，且不超过 31 天"),
        (r"these matchers fit every alert.*", "这些条件会匹配全部告警，请至少指定一项"),
        (r"a comment needs a text", "请填写备注"),
        (r"an alert is shelved for at most.*", "暂缓最长 7 天"),
        (r"shelving needs a reason", "请填写暂缓原因"),
        (r"say who does it", "缺少操作人"),
        (r"say why the (?:incident|alert) is ended", "请填写结束原因"),
        (r"alert (\S+) is over.*", "该告警已解除"),
        (r"alert (\S+) is not in doubt", "该告警无须核实"),
        (r"alert (\S+) is not (?:shelved|acknowledged)", "该告警未暂缓或未签收"),
        (r"rule (\S+) ends it, no person", "该告警由规则自行解除，不能人工结束"),
        (r"alert (\S+) .*", "告警 {0} 的状态不允许此操作"),
        (r"no alert (\S+) is open", "告警 {0} 已解除或不存在"),
        (r"no alert (.*)", "没有告警 {0}"),
        (r"no incident (.*)", "没有事件 {0}"),
        (r"incident (\S+) has no task (.*)", "该事件没有任务 {1}"),
        (r"incident (\S+) is (?:confirmed|candidate)", "该事件仍在进行中"),
        (r"incident (\S+) is \w+, not resolved", "该事件尚未结束"),
        (r"incident (\S+) is \w+", "该事件已结束或已合并"),
        (r"an incident is not merged with itself", "不能并入自身"),
        (r"a parent incident is merged with another parent only", "总事件只能并入另一总事件"),
        (r"(\d+) of its alerts still fire.*", "仍有 {0} 条告警未解除"),
        (r".+: not receivers of the exercise channel: (.*)", "不是演练通道的通知对象：{0}"),
        (r".+: not users of the console: (.*)", "没有用户 {0}"),
        (r"there are no receivers of the exercise channel.*", "没有演练通道的通知对象，请先新增"),
        (r".+ has passed: leave it out for now", "时间已过：留空表示立即"),
        (r"this link is over", "该链接已失效"),
        (r"no domain (.*?);.*", "没有领域 {0}"),
        (r"a secret is whsec_.*", "密钥格式为 whsec_ 加 24 至 64 个随机字节的 base64"),
        (r"receiver '(.*?)' exists.*", "通知对象 {0} 已存在"),
        (
            r"receiver '(.*?)' stands in the receivers file.*",
            "通知对象 {0} 由配置文件定义，请在文件中修改",
        ),
        (r"the routes file names receiver '(.*?)'.*", "路由文件中引用了通知对象 {0}，请先移除"),
        (r"no receiver '(.*?)' is switched on", "通知对象 {0} 未启用"),
        (r"no receiver '(.*?)'.*", "没有通知对象 {0}"),
        (r"no message (.*)", "没有消息 {0}"),
        (r"no (?:user|person) '?(.*?)'?(?:;.*)?", "没有用户 {0}"),
        (r"sensor (\S+) is declared in the catalog.*", "传感器 {0} 由数据定义给出，请在定义中修改"),
        (r"no district (.*)", "没有区县 {0}"),
        (r"this place is more than (\S+) km.*", "位置距该区县超过 {0} 公里，请检查经纬度"),
        (r"nothing is set: .*", "请填写合理范围、检出限或分辨率"),
        (r"nothing is set for (\S+) of (\S+)", "未对 {1} 的 {0} 作过设定"),
        (r"a span must rise and lie within (.*), the .*", "合理范围须递增，且在仪器量程 {0} 之内"),
        (r"a floor must lie within (.*), the .*", "检出限须在仪器量程 {0} 之内"),
        (r"a resolution is a step .*", "分辨率须大于零，且在仪器量程之内"),
        (r"it would end before it begins", "有效期须晚于现在"),
        (r"no sensor (.*)", "没有传感器 {0}"),
        (r"a note of a report has .*", "内容为 1 至 4000 字"),
        (r"no page (.*)", "没有页面 {0}"),
        (r"a phone number is .*", "电话为 3 至 30 位数字，可含空格与 + ( ) -"),
        (r"no owner (.*)", "没有责任方 {0}"),
        (r"no (?:shift|contact) (\d+)", "该记录不存在或已删除"),
        (r"(.*) has a shift at this time already", "{0} 在该时段已有班次"),
        (r"a password has at least (\d+) characters", "密码至少 {0} 位"),
        (r"(\S+) is not possible in state (\S+); possible: .*", "当前状态（{1}）不能办理“{0}”"),
        (r"for (\S+) you need one of: .*", "您没有办理“{0}”的权限"),
        (r"a note is required for .*", "请填写说明"),
        (r"a reason is required for .*", "请选择原因"),
        (r"(.+?) is required(?: for \S+)?", "请填写 {0}"),
        (r"(\S+) has moved on: .*", "{0} 已被他人办理，请查看最新状态"),
        (r"(\S+) can be taken back within (\S+) s only", "只能在 {1} 秒内撤销"),
        (r"only (\S+) may take \S+ back", "只有 {0} 可以撤销"),
        # what pydantic says of a field
        (r"Field required", "必填"),
        (r"String should have at least (\d+) characters?", "不能为空，至少 {0} 个字符"),
        (r"String should have at most (\d+) characters?", "最多 {0} 个字符"),
        (r"String should match pattern.*", "格式有误：只能用小写字母、数字与 -_."),
        (r"List should have at least \d+ items?.*", "至少选择一项"),
        (r"Input should be a valid (?:number|integer).*", "须为数字"),
        (r"Input should be greater than or equal to (\S+)", "不能小于 {0}"),
        (r"Input should be less than or equal to (\S+)", "不能大于 {0}"),
        (r"Input should be (.*)", "只能是 {0}"),
    )
)


def mistake(words: Words, error: Exception | str) -> str:
    """Return what an error says, in this language; as it was written where nobody translated it."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        fields = [words.code("field", str(part)) for part in first["loc"]]
        said = mistake(words, first["msg"].removeprefix("Value error, "))
        return f"{' '.join(fields)}: {said}" if fields else said
    said = str(error)
    return (translated(said) or said) if words.language == "zh" else said


def translated(said: str) -> str | None:
    """Return a refusal in Chinese; None when it is not known here."""
    for pattern, zh in MISTAKES:
        if found := pattern.fullmatch(said):
            return zh.format(*(part or "" for part in found.groups()))
    return None
