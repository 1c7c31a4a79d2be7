"""What a person or a stranger does at the door of a console: log in, guess."""

import httpx
import psycopg

PASSWORD = "correct horse battery"


def log_in(
    client: httpx.Client, name: str, password: str = PASSWORD, **form: str
) -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password, **form})


def raise_alert(conn: psycopg.Connection, episode: str) -> None:
    conn.execute(
        "INSERT INTO episodes (id, rule, stream, sensor, status, severity, peak_severity, metric,"
        " value, threshold, raised_at, changed_at) VALUES (%s, 'noise.night', 'noise', %s,"
        " 'active', 2, 2, 'leq_20min', 61, 50, now(), now())",
        [episode, f"sensor-{episode}"],
    )


def from_address(address: str) -> dict[str, str]:
    """Headers of a proxy on this machine, as which uvicorn trusts us."""
    return {"X-Forwarded-For": address}


def guess(
    place: tuple[str, str], name: str, address: str, password: str = "guess"
) -> httpx.Response:
    form = {"name": name, "password": password}
    return httpx.post(f"{place[0]}/login", data=form, headers=from_address(address), timeout=30)
