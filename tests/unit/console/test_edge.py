"""The layers in front of the console: what passes them holds no odd text, whatever it is."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.edge.headers import SecurityHeaders
from console.edge.origins import SameOriginSockets
from console.edge.text import MAX_VALUE, PlainText, is_odd
from tests.support.loops import run_async

ANY = st.text(st.characters(), max_size=40)
JSON = {"content-type": "application/json"}


def sent_through(layer: Any, **scope: Any) -> tuple[int, dict[str, str], bool]:
    """Return status, headers and whether the application saw the request."""
    body: bytes = scope.pop("body", b"")
    headers = {"host": "city.example", **scope.pop("headers", {})}
    if body:
        headers["content-length"] = str(len(body))
    full: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "scheme": "http"}
    full |= {"raw_path": b"/", "query_string": b""} | scope
    full["headers"] = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
    seen: list[bytes] = []
    out: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((await receive()).get("body", b"") if body else b"")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        out.append(message)

    run_async(lambda: layer(app)(full, receive, send))
    assert seen in ([], [body])
    named = {k.decode(): v.decode() for k, v in out[0].get("headers", ())}
    return out[0].get("status", out[0].get("code", 0)), named, bool(seen)


@settings(deadline=None)
@given(ANY)
@example("\x00")
@example("\ud800")
@example("a\tb\n")
def test_a_query_passes_just_when_its_text_is_plain(text: str) -> None:
    query = b"search=" + quote(text.encode("utf-8", "surrogatepass")).encode()
    status, _, passed = sent_through(PlainText, query_string=query)
    assert passed is (not is_odd(text))
    assert status == (200 if passed else 422)


@settings(deadline=None)
@given(ANY, ANY)
@example("\ud800", "x")
@example("x", "\x00")
@example("", "\f")
@example("\b", "x")
def test_a_json_body_passes_just_when_all_its_texts_are_plain(name: str, text: str) -> None:
    for escaped in (True, False):
        body = json.dumps({"a": [1, {name: text}]}, ensure_ascii=escaped)
        sent = body.encode("utf-8", "surrogatepass")
        status, _, passed = sent_through(PlainText, body=sent, headers=JSON)
        assert passed is not (is_odd(name) or is_odd(text))
        assert status == (200 if passed else 422)


@settings(deadline=None)
@given(st.binary(max_size=40))
@example(b"\xff")
@example(b"%00")
def test_bytes_never_break_the_layer(sent: bytes) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    for headers in (JSON, form, {}):
        assert sent_through(PlainText, body=sent, headers=headers)[0] in (200, 422)
    assert sent_through(PlainText, raw_path=b"/" + sent)[0] in (200, 422)
    assert sent_through(PlainText, query_string=sent)[0] in (200, 422)


def test_forms_and_long_values_are_checked() -> None:
    form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    for body in (b"name=%00", b"name=%ED%A0%80", b"na%01me=x"):
        assert sent_through(PlainText, body=body, headers=form)[0] == 422
    assert sent_through(PlainText, body=b"name=%E6%B0%B4", headers=form)[0] == 200
    assert sent_through(PlainText, query_string=b"a=" + b"x" * MAX_VALUE)[0] == 200
    assert sent_through(PlainText, query_string=b"a=" + b"x" * (MAX_VALUE + 1))[0] == 422


def test_alerts_from_elsewhere_are_cleaned_where_they_are_read() -> None:
    body = json.dumps({"alerts": [{"labels": {"alertname": "a\x00"}}]}).encode()
    for path, passes in (("/api/v1/incoming/grafana", True), ("/api/v1/alerts/x/comment", False)):
        assert sent_through(PlainText, body=body, headers=JSON, path=path)[2] is passes


def test_browsers_are_told_what_a_page_may_do() -> None:
    _, api, _ = sent_through(SecurityHeaders, path="/api/v1/alerts")
    assert api["content-security-policy"].startswith("default-src 'none'")
    _, login, _ = sent_through(SecurityHeaders, path="/login")
    assert "script-src 'none'" in login["content-security-policy"]
    assert "unsafe" not in login["content-security-policy"]
    _, page, _ = sent_through(SecurityHeaders, path="/alerts")
    assert "http" not in page["content-security-policy"], "no other host is allowed"
    assert "*" not in page["content-security-policy"]
    assert "strict-transport-security" not in page
    _, behind, _ = sent_through(SecurityHeaders, path="/alerts", scheme="https")
    assert behind["strict-transport-security"].startswith("max-age=31536000")


def test_sockets_of_other_sites_are_refused() -> None:
    for kind, path in (("websocket", "/_nicegui_ws/x"), ("http", "/_nicegui_ws/x")):
        for origin, passes in (
            ("http://city.example", True),
            ("http://evil.example", False),
            ("null", False),
        ):
            found = sent_through(
                SameOriginSockets, type=kind, path=path, headers={"origin": origin}
            )
            assert found[2] is passes
        assert sent_through(SameOriginSockets, type=kind, path=path)[2], "programs send none"
