"""A small HTTP server that speaks the part of Grafana's API that cityops calls.

Addresses, bodies and answers are those that Grafana documents (10.1 for ``/api``, 12 for
``/apis/playlist.grafana.app``). Queries are run on a real database as grafana_ro, their time macros
replaced here, so that a panel whose SQL fails shows as it would in Grafana. It is not Grafana: it
draws nothing, and migrates no dashboard.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests.support.grafana_state import PASSWORD, Json, State

Answer = tuple[int, Any]
MACRO = re.compile(r"\$__time(From|To)\(\)")


@contextmanager
def grafana_server(state: State) -> Iterator[str]:
    """Give the address of a running server; it ends with the block."""
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    given = {"poll_interval": 0.05}
    thread = threading.Thread(target=server.serve_forever, kwargs=given, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: State
    protocol_version = "HTTP/1.1"
    conn: psycopg.Connection | None = None

    def finish(self) -> None:
        """Let the database go with the client."""
        if self.conn:
            self.conn.close()
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def _answer(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = urlsplit(self.path).path
        self.state.asked.append(f"{method} {path}")
        status, told = self._decide(method, path, body)
        encoded = json.dumps(told, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def _decide(self, method: str, path: str, body: Any) -> Answer:
        if self.state.sick:
            self.state.sick -= 1
            return 503, {"message": "Service Unavailable"}
        if path == "/api/health":
            return 200, {"commit": "849c612fcb", "database": "ok", "version": self.state.version}
        role = self._role()
        if role is None:
            return 401, {"message": "Invalid username or password"}
        for verb, pattern, needs_admin, act in ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                if needs_admin and role != "Admin":
                    return 403, {"message": "You'll need additional permissions"}
                return act(self, found, body)
        return 404, {"message": "Not found"}

    def _role(self) -> str | None:
        kind, _, secret = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            known = base64.b64decode(secret).decode() == f"admin:{PASSWORD}"
            return "Admin" if known else None
        return self.state.tokens.get(secret)

    def datasource(self, _: re.Match[str], __: Any) -> Answer:
        try:
            with psycopg.connect(self.state.dsn, connect_timeout=2):
                return 200, {"message": "Database Connection OK", "status": "OK"}
        except psycopg.Error as error:
            return 400, {"message": str(error), "status": "ERROR"}

    def query(self, _: re.Match[str], body: Json) -> Answer:
        start, end = (_moment(body[name]) for name in ("from", "to"))
        results = {one["refId"]: self._run(one, start, end) for one in body["queries"]}
        failed = any("error" in one for one in results.values())
        return 400 if failed else 200, {"results": results}

    def _run(self, query: Json, start: str, end: str) -> Json:
        moments = {"From": f"'{start}'", "To": f"'{end}'"}
        sql = MACRO.sub(lambda found: moments[found[1]], query["rawSql"])
        try:
            cursor = self._reader().execute(sql.encode())
            rows = cursor.fetchall()
        except psycopg.Error as error:
            return {"error": f"db query error: {error}", "status": 400}
        names = [column.name for column in cursor.description or ()]
        frame = {
            "schema": {"refId": query["refId"], "fields": [{"name": name} for name in names]},
            "data": {"values": [list(column) for column in zip(*rows, strict=True)]},
        }
        return {"status": 200, "frames": [frame]}

    def _reader(self) -> psycopg.Connection:
        if self.conn is None:
            self.conn = psycopg.connect(self.state.dsn, autocommit=True)
            self.conn.execute("SET ROLE grafana_ro")
        return self.conn

    def dashboard(self, found: re.Match[str], _: Any) -> Answer:
        known = {uid: ("cityops-zh", board) for uid, board in self.state.from_files.items()}
        if found[1] not in (known := known | self.state.boards):
            return 404, {"message": "Dashboard not found"}
        folder, board = known[found[1]]
        provisioned = found[1] in self.state.from_files
        return 200, {"dashboard": board, "meta": {"folderUid": folder, "provisioned": provisioned}}

    def save(self, _: re.Match[str], body: Json) -> Answer:
        board = body["dashboard"]
        if board["uid"] in self.state.from_files:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if body["folderUid"] not in self.state.folders:
            return 400, {"message": "folder not found"}
        _, there = self.state.boards.get(board["uid"], ("", {"id": len(self.state.boards) + 1}))
        version = there.get("version", 0) + 1
        kept = {**board, "id": there["id"], "version": version}
        self.state.boards[board["uid"]] = (body["folderUid"], kept)
        return 200, {"status": "success", "uid": board["uid"], "version": version}

    def folder(self, found: re.Match[str], _: Any) -> Answer:
        there = self.state.folders.get(found[1])
        return (200, there) if there else (404, {"message": "folder not found"})

    def make_folder(self, _: re.Match[str], body: Json) -> Answer:
        if body["uid"] in self.state.folders:
            return 409, {"message": "a folder with that uid already exists"}
        self.state.folders[body["uid"]] = body
        self.state.permissions[body["uid"]] = [{"role": "Editor", "permission": 2}]
        return 200, body

    def permit(self, found: re.Match[str], body: Json) -> Answer:
        self.state.permissions[found[1]] = body["items"]
        return 200, {"message": "Folder permissions updated"}

    def permitted(self, found: re.Match[str], _: Any) -> Answer:
        return 200, self.state.permissions[found[1]]

    def reload(self, found: re.Match[str], _: Any) -> Answer:
        self.state.reloaded.append(found[1])
        return 200, {"message": f"{found[1]} config reloaded"}

    def preferences(self, _: re.Match[str], __: Any) -> Answer:
        return 200, self.state.preferences

    def set_preferences(self, _: re.Match[str], body: Json) -> Answer:
        self.state.preferences = body
        return 200, {"message": "Preferences updated"}

    def list_playlists(self, _: re.Match[str], __: Any) -> Answer:
        return 200, list(self.state.playlists.values())

    def make_playlist(self, _: re.Match[str], body: Json) -> Answer:
        uid = f"p{len(self.state.playlists)}"
        self.state.playlists[uid] = {"uid": uid, **body}
        return 200, self.state.playlists[uid]

    def set_playlist(self, found: re.Match[str], body: Json) -> Answer:
        self.state.playlists[found[1]] = {"uid": found[1], **body}
        return 200, self.state.playlists[found[1]]

    def playlist_resources(self, _: re.Match[str], __: Any) -> Answer:
        return 200, {"kind": "PlaylistList", "items": list(self.state.playlists.values())}

    def playlist_resource(self, found: re.Match[str], _: Any) -> Answer:
        there = self.state.playlists.get(found[1])
        return (200, there) if there else (404, {"kind": "Status", "code": 404})

    def put_playlist_resource(self, _: re.Match[str], body: Json) -> Answer:
        uid, there = body["metadata"]["name"], self.state.playlists.get(body["metadata"]["name"])
        version = there["metadata"]["resourceVersion"] if there else None
        if body["metadata"].get("resourceVersion") != version:
            return 409, {"kind": "Status", "code": 409, "message": "the object has been modified"}
        metadata = {**body["metadata"], "resourceVersion": str(int(version or 0) + 1)}
        self.state.playlists[uid] = {**body, "metadata": metadata}
        return 200, self.state.playlists[uid]

    def alert_rules(self, _: re.Match[str], __: Any) -> Answer:
        return 200, [{"uid": uid, "title": uid} for uid in self.state.rules]

    def find_accounts(self, _: re.Match[str], __: Any) -> Answer:
        wanted = parse_qs(urlsplit(self.path).query)["query"][0]
        found = [one for one in self.state.accounts if wanted in one["name"]]
        return 200, {"totalCount": len(found), "serviceAccounts": found}

    def make_account(self, _: re.Match[str], body: Json) -> Answer:
        self.state.accounts.append({"id": len(self.state.accounts) + 1, **body})
        return 201, self.state.accounts[-1]

    def make_token(self, found: re.Match[str], body: Json) -> Answer:
        account = self.state.accounts[int(found[1]) - 1]
        key = f"glsa_{body['name']}"
        self.state.tokens[key] = account["role"]
        return 200, {"id": 1, "name": body["name"], "key": key}

    def find_user(self, _: re.Match[str], __: Any) -> Answer:
        wanted = parse_qs(urlsplit(self.path).query)["loginOrEmail"][0]
        found = [one for one in self.state.users if one["login"] == wanted]
        return (200, found[0]) if found else (404, {"message": "user not found"})

    def make_user(self, _: re.Match[str], body: Json) -> Answer:
        self.state.users.append({**body, "id": len(self.state.users) + 2, "role": None})
        return 200, {"id": self.state.users[-1]["id"], "message": "User created"}

    def set_role(self, found: re.Match[str], body: Json) -> Answer:
        next(one for one in self.state.users if one["id"] == int(found[1])).update(body)
        return 200, {"message": "Organization user updated"}


def _moment(milliseconds: str) -> str:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).isoformat()


RESOURCES = r"/apis/playlist\.grafana\.app/v1/namespaces/default/playlists"
ROUTES = (
    # method, path, whether only an administrator may, what happens
    ("GET", r"/api/datasources/uid/([\w-]+)/health", False, _Handler.datasource),
    ("POST", r"/api/ds/query", False, _Handler.query),
    ("GET", r"/api/dashboards/uid/([\w-]+)", False, _Handler.dashboard),
    ("POST", r"/api/dashboards/db", True, _Handler.save),
    ("GET", r"/api/folders/([\w-]+)", False, _Handler.folder),
    ("POST", r"/api/folders", True, _Handler.make_folder),
    ("GET", r"/api/folders/([\w-]+)/permissions", True, _Handler.permitted),
    ("POST", r"/api/folders/([\w-]+)/permissions", True, _Handler.permit),
    ("POST", r"/api/admin/provisioning/(\w+)/reload", True, _Handler.reload),
    ("GET", r"/api/org/preferences", False, _Handler.preferences),
    ("PUT", r"/api/org/preferences", True, _Handler.set_preferences),
    ("GET", r"/api/playlists", False, _Handler.list_playlists),
    ("POST", r"/api/playlists", True, _Handler.make_playlist),
    ("PUT", r"/api/playlists/([\w-]+)", True, _Handler.set_playlist),
    ("GET", RESOURCES, False, _Handler.playlist_resources),
    ("GET", rf"{RESOURCES}/([\w-]+)", False, _Handler.playlist_resource),
    ("POST", RESOURCES, True, _Handler.put_playlist_resource),
    ("PUT", rf"{RESOURCES}/([\w-]+)", True, _Handler.put_playlist_resource),
    ("GET", r"/api/v1/provisioning/alert-rules", True, _Handler.alert_rules),
    ("GET", r"/api/users/lookup", True, _Handler.find_user),
    ("POST", r"/api/admin/users", True, _Handler.make_user),
    ("PATCH", r"/api/org/users/(\d+)", True, _Handler.set_role),
    ("GET", r"/api/serviceaccounts/search", True, _Handler.find_accounts),
    ("POST", r"/api/serviceaccounts", True, _Handler.make_account),
    ("POST", r"/api/serviceaccounts/(\d+)/tokens", True, _Handler.make_token),
)
