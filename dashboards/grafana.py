"""A small client of Grafana's HTTP API: the few calls that cityops needs, nothing more.

Every call has a deadline. Only reading is tried again, so that nothing is made twice. Addresses are
in one place: from 12 on Grafana moves parts of ``/api`` to ``/apis``, and keeps ``/api`` meanwhile.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx

from catalog.errors import CityOpsError

Json = dict[str, Any]
TIMEOUT_S = 15.0
ATTEMPTS = 3
BREAK_S = 0.3
AGAIN = {429, 502, 503, 504}
OLDEST = (10, 1)
PLAYLISTS, PLAYLIST_RESOURCES = (
    "/api/playlists",
    "/apis/playlist.grafana.app/v1/namespaces/default/playlists",
)
RESOURCES_SINCE = 12


class GrafanaError(CityOpsError):
    """Grafana did not do what was asked; ``status`` is HTTP's, 0 when it could not be reached."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message, code="grafana", stage="delivering")
        self.status = status


class Grafana:
    """One Grafana, as one user: a token of a service account, or the administrator's password."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        password: str = "",
        user: str = "admin",
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Accept": "application/json", "User-Agent": "cityops"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        auth = (user, password) if password and not token else None
        self._http = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, auth=auth, timeout=TIMEOUT_S
        )
        self._wait = wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def version(self) -> tuple[int, int]:
        """Return Grafana's major and minor version; GrafanaError when it is not well."""
        told = self._call("GET", "/api/health")
        found = re.match(r"(\d+)\.(\d+)", str(told.get("version", "")))
        if told.get("database") != "ok" or found is None:
            raise GrafanaError(f"Grafana is not well: {told}")
        return int(found[1]), int(found[2])

    def datasource_health(self, uid: str) -> str:
        """Return what the data source says of itself; GrafanaError when it cannot be used."""
        told = self._call("GET", f"/api/datasources/uid/{uid}/health")
        if told.get("status") != "OK":
            raise GrafanaError(f"data source {uid}: {told.get('message', told)}")
        return str(told.get("message", ""))

    def query(self, queries: list[Json], start_ms: int, end_ms: int) -> Mapping[str, Json]:
        """Run a panel's queries on the server; return results by refId, failed ones with error."""
        body = {"from": str(start_ms), "to": str(end_ms), "queries": queries}
        response = self._send("POST", "/api/ds/query", body)
        told = _json(response)
        if "results" not in told:
            raise _error(response)
        return told["results"]

    def dashboard(self, uid: str) -> Json | None:
        """Return a dashboard with its ``meta``; None when there is none."""
        return self._find(f"/api/dashboards/uid/{uid}")

    def put_dashboard(self, board: Mapping[str, Any], folder: str) -> None:
        """Save a dashboard over what is there; GrafanaError 400 when it comes from a file."""
        body = {
            "dashboard": {**board, "id": None},
            "folderUid": folder,
            "overwrite": True,
            "message": "cityops",
        }
        self._call("POST", "/api/dashboards/db", body)

    def ensure_folder(self, uid: str, title: str) -> bool:
        """Make a folder unless it is there; True when it was made."""
        if self._find(f"/api/folders/{uid}") is not None:
            return False
        self._call("POST", "/api/folders", {"uid": uid, "title": title})
        return True

    def permit(self, folder: str, permissions: Json) -> None:
        """Set who may do what in a folder, in place of what was set."""
        self._call("POST", f"/api/folders/{folder}/permissions", permissions)

    def permitted(self, folder: str) -> list[Json]:
        """Return who may do what in a folder."""
        return self._call("GET", f"/api/folders/{folder}/permissions")

    def reload(self, kind: str) -> None:
        """Read provisioning files anew: dashboards, datasources or alerting. Needs a password."""
        self._call("POST", f"/api/admin/provisioning/{kind}/reload")

    def put_preferences(self, preferences: Json) -> None:
        """Set the organisation's preferences."""
        self._call("PUT", "/api/org/preferences", preferences)

    def preferences(self) -> Json:
        """Return the organisation's preferences."""
        return self._call("GET", "/api/org/preferences")

    def put_playlist(self, playlist: Json) -> None:
        """Make a playlist, or bring the one with its name up to date."""
        if self.version()[0] >= RESOURCES_SINCE:
            self._put_playlist_resource(playlist)
            return
        known = {one["name"]: one["uid"] for one in self._call("GET", PLAYLISTS)}
        body = {key: playlist[key] for key in ("name", "interval", "items")}
        if playlist["name"] in known:
            self._call("PUT", f"{PLAYLISTS}/{known[playlist['name']]}", body)
        else:
            self._call("POST", PLAYLISTS, body)

    def playlists(self) -> list[str]:
        """Return the names of all playlists."""
        if self.version()[0] >= RESOURCES_SINCE:
            return [one["spec"]["title"] for one in self._call("GET", PLAYLIST_RESOURCES)["items"]]
        return [one["name"] for one in self._call("GET", PLAYLISTS)]

    def alert_rules(self) -> list[str]:
        """Return the uids of all alert rules."""
        return [str(one["uid"]) for one in self._call("GET", "/api/v1/provisioning/alert-rules")]

    def new_token(self, account: str, role: str) -> str:
        """Return a new token of a service account, which is made when missing."""
        found = self._call("GET", f"/api/serviceaccounts/search?query={account}")
        ids = [one["id"] for one in found["serviceAccounts"] if one["name"] == account]
        made = {"id": ids[0]} if ids else None
        if made is None:
            made = self._call("POST", "/api/serviceaccounts", {"name": account, "role": role})
        name = f"{account}-{time.time_ns()}"
        token = self._call("POST", f"/api/serviceaccounts/{made['id']}/tokens", {"name": name})
        return str(token["key"])

    def ensure_viewer(self, login: str, password: str) -> bool:
        """Make a user who may look and nothing else, unless there is one; True when it was made.

        Needs the administrator's password.
        """
        there = self._find(f"/api/users/lookup?loginOrEmail={login}")
        if there is None:
            body = {"name": login, "login": login, "password": password, "OrgId": 1}
            there = self._call("POST", "/api/admin/users", body)
            self._call("PATCH", f"/api/org/users/{there['id']}", {"role": "Viewer"})
            return True
        return False

    def _put_playlist_resource(self, playlist: Json) -> None:
        resource: Json = {
            "apiVersion": "playlist.grafana.app/v1",
            "kind": "Playlist",
            "metadata": {"name": playlist["uid"]},
            "spec": {
                "title": playlist["name"],
                "interval": playlist["interval"],
                "items": playlist["items"],
            },
        }
        there = self._find(f"{PLAYLIST_RESOURCES}/{playlist['uid']}")
        if there is None:
            self._call("POST", PLAYLIST_RESOURCES, resource)
            return
        resource["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
        self._call("PUT", f"{PLAYLIST_RESOURCES}/{playlist['uid']}", resource)

    def _find(self, path: str) -> Json | None:
        try:
            return self._call("GET", path)
        except GrafanaError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = self._send(method, path, body)
        if response.is_error:
            raise _error(response)
        return _json(response)

    def _send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Return the answer; reading is tried again while Grafana is away or busy."""
        for left in reversed(range(ATTEMPTS if method == "GET" else 1)):
            try:
                response = self._http.request(method, path, json=body)
            except httpx.HTTPError as error:
                if not left:
                    where = f"{self._http.base_url}{path.lstrip('/')}"
                    raise GrafanaError(f"cannot reach {where}: {error}") from None
            else:
                if response.status_code not in AGAIN or not left:
                    return response
            self._wait(BREAK_S)
        raise AssertionError("unreachable")


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise GrafanaError(
            f"{response.request.url} did not answer JSON: is that a Grafana?", response.status_code
        ) from None


def _error(response: httpx.Response) -> GrafanaError:
    """Return an error with Grafana's own words, and what to do about refused credentials."""
    try:
        said = str(response.json().get("message", response.text))
    except (ValueError, AttributeError):
        said = response.text
    hint = {401: " (wrong token or password)", 403: " (this account lacks the right)"}
    status = response.status_code
    path = response.request.url.path
    where = f"{response.request.method} {path}: {status} {said[:200]}"
    return GrafanaError(where + hint.get(status, ""), status)
