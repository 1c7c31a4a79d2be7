"""The four fields of city operation that own streams today, in the order screens show them."""

from catalog.model import Domain, text

DOMAINS = {
    d.name: d
    for d in (
        Domain(name="traffic", title=text("交通运行", "Traffic"), icon="directions_car"),
        Domain(name="environment", title=text("生态环境", "Environment"), icon="eco"),
        Domain(name="water", title=text("水务防汛", "Water"), icon="water_drop"),
        Domain(name="grid", title=text("电网运行", "Power grid"), icon="bolt"),
    )
}
