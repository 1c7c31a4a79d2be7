"""Where webhooks may go: a table of addresses, and a resolver that lies."""

import pytest

from alerts.delivery.guard import Guard, RefusedTargetError, hide

ALLOWED = [
    "https://duty.example.cn",
    "*.city.gov.cn",
    "http://plain.example.cn:8080",
    "10.20.0.0/16",
    "pump.inside.cn",
    "localhost",
    "127.0.0.1",
]
ANSWERS = {
    "duty.example.cn": ["120.55.1.7", "120.55.1.8"],
    "a.city.gov.cn": ["120.55.2.4"],
    "plain.example.cn": ["120.55.1.9"],
    "pump.inside.cn": ["10.20.3.4"],
    "localhost": ["127.0.0.1", "::1"],
    "rebind.city.gov.cn": ["127.0.0.1"],
    "mixed.city.gov.cn": ["120.55.1.7", "169.254.169.254"],
    "private.city.gov.cn": ["192.168.1.5"],
    "mapped.city.gov.cn": ["::ffff:127.0.0.1"],
    "nat64.city.gov.cn": ["64:ff9b::7f00:1"],
    "six.city.gov.cn": ["2002:7f00:1::"],
    "unspecified.city.gov.cn": ["0.0.0.0"],
    "multicast.city.gov.cn": ["224.0.0.1"],
    "linklocal.city.gov.cn": ["fe80::1%eth0"],
    "alibaba.city.gov.cn": ["100.100.100.200"],
    "none.city.gov.cn": [],
    "xn--fiqs8s.city.gov.cn": ["120.55.1.10"],
}
GOOD = {
    "https://duty.example.cn/hook": "120.55.1.7",
    "https://DUTY.example.cn./hook": "120.55.1.7",
    "https://duty.example.cn:8443/hook?x=1": "120.55.1.7",
    "https://a.city.gov.cn/": "120.55.2.4",
    "https://中国.city.gov.cn/": "120.55.1.10",
    "http://plain.example.cn:8080/x": "120.55.1.9",
    "https://10.20.1.2/": "10.20.1.2",
    "https://pump.inside.cn/": "10.20.3.4",
    "http://localhost:8800/": "127.0.0.1",
    "http://127.0.0.1:8800/": "127.0.0.1",
}
BAD = {
    "ftp://duty.example.cn/": "begin with http",
    "file:///etc/passwd": "begin with http",
    "gopher://duty.example.cn/": "begin with http",
    "javascript:alert(1)": "begin with http",
    "//duty.example.cn/": "begin with http",
    "https://": "no host",
    "https:///hook": "no host",
    "http://duty.example.cn/": "only https",
    "http://10.20.1.2/": "only https",
    "https://user@duty.example.cn/": "user or password",
    "https://user:pw@duty.example.cn/": "user or password",
    "https://@duty.example.cn/": "user or password",
    "https://duty.example.cn@evil.example/": "user or password",
    "https://duty.example.cn\\@evil.example/": "backslash",
    "https://duty.example.cn /": "spaces",
    "https://duty.example.cn\n.evil/": "spaces",
    "https://duty.example.cn\x00/": "spaces",
    "https://evil.example/": "not in",
    "https://duty.example.cn.evil.example/": "not in",
    "https://city.gov.cn/": "not in",
    "https://evilcity.gov.cn/": "not in",
    "https://10.21.0.1/": "not in",
    "https://192.168.0.1/": "not in",
    "https://8.8.8.8/": "not in",
    "https://[::1]/": "not in",
    "https://[::ffff:127.0.0.1]/": "not in",
    "https://[fe80::1]/": "not in",
    "https://169.254.169.254/latest/meta-data/": "not in",
    "https://0.0.0.0/": "not in",
    "https://2130706433/": "odd notation",
    "https://0x7f000001/": "odd notation",
    "https://0x7f.0.0.1/": "odd notation",
    "https://0177.0.0.1/": "odd notation",
    "https://127.1/": "odd notation",
    "https://127.0.0.1.2/": "odd notation",
    "http://plain.example.cn/": "port 80",
    "https://plain.example.cn:8443/": "port 8443",
    "https://duty.example.cn:99999/": "no address",
    "https://duty.example.cn:port/": "no address",
    "https://[::1/": "no address",
    "https://rebind.city.gov.cn/": "loopback",
    "https://mixed.city.gov.cn/": "metadata",
    "https://private.city.gov.cn/": "inside the network",
    "https://mapped.city.gov.cn/": "IPv6 form",
    "https://nat64.city.gov.cn/": "IPv6 form",
    "https://six.city.gov.cn/": "IPv6 form",
    "https://unspecified.city.gov.cn/": "unspecified",
    "https://multicast.city.gov.cn/": "multicast",
    "https://linklocal.city.gov.cn/": "link-local",
    "https://alibaba.city.gov.cn/": "metadata",
    "https://none.city.gov.cn/": "no address",
    "https://unknown.city.gov.cn/": "no address",
    "http://127.0.0.1:5432/": "own servers",
    "http://localhost:9092/": "own servers",
    "http://[::1]:9092/": "not in",
}


def answer(host: str, port: int) -> list[str]:
    if host not in ANSWERS:
        raise OSError("name unknown")
    return ANSWERS[host]


def guard() -> Guard:
    return Guard(ALLOWED, [("127.0.0.1", 5432), ("127.0.0.1", 9092), ("::1", 9092)], answer)


@pytest.mark.parametrize(("url", "address"), GOOD.items())
def test_allowed_addresses_lead_to_the_checked_one(url: str, address: str) -> None:
    assert guard().target(url).address == address


@pytest.mark.parametrize(("url", "why"), BAD.items(), ids=range(len(BAD)))
def test_everything_else_is_refused_with_the_rule(url: str, why: str) -> None:
    with pytest.raises(RefusedTargetError, match=why):
        guard().target(url)


def test_a_name_is_resolved_once_and_the_checked_address_is_called() -> None:
    asked: list[str] = []

    def changes_its_mind(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["120.55.1.7"] if len(asked) == 1 else ["127.0.0.1"]

    import httpx

    with httpx.Client() as client:
        target = Guard(["duty.example.cn"], (), changes_its_mind).target("https://duty.example.cn/")
        request = target.request(client, b"{}", {})
    assert asked == ["duty.example.cn"]
    assert request.url.host == "120.55.1.7"
    assert request.headers["host"] == "duty.example.cn"
    assert request.extensions["sni_hostname"] == "duty.example.cn"


def test_nothing_is_allowed_by_an_empty_list() -> None:
    with pytest.raises(RefusedTargetError, match="not in CITYOPS_WEBHOOK_HOSTS"):
        Guard([], (), answer).target("https://duty.example.cn/")


def test_the_query_of_an_address_is_not_shown() -> None:
    assert hide("https://robot.example/send?key=secret") == "https://robot.example/send?…"
