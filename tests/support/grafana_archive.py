"""A small archive in the shape of Grafana's, holding a stand-in.

No real Grafana can be had from the package registries, so tests of fetching and starting one use
this program. It takes the real command line, reads the real ini, and is healthy only when the
provisioned data source's password lets role grafana_ro read schema dash.
"""

import hashlib
import io
import platform
import sys
import tarfile
from pathlib import Path

PROGRAM = """#!{python}
import configparser, http.server, json, pathlib, sys
import psycopg, yaml

words = sys.argv[1:]
assert words[0] == "server", words
given = dict(zip(words[1::2], words[2::2], strict=True))
assert (pathlib.Path(given["--homepath"]) / "conf/defaults.ini").is_file()
ini = configparser.ConfigParser(interpolation=None)
assert ini.read(given["--config"])
provisioning = pathlib.Path(ini["paths"]["provisioning"])
source = yaml.safe_load((provisioning / "datasources/cityops.yaml").read_text())["datasources"][0]
password = source["secureJsonData"]["password"].removeprefix("$__file{{").removesuffix("}}")
host, _, port = source["url"].rpartition(":")


def database():
    try:
        with psycopg.connect(
            host=host, port=port, user=source["user"], dbname=source["jsonData"]["database"],
            password=pathlib.Path(password).read_text(), connect_timeout=2,
        ) as conn:
            conn.execute("SELECT count(*) FROM dash.platform()")
        return "ok"
    except psycopg.Error as error:
        print(error, flush=True)
        return "failing"


asked = []  # what was to be changed; nothing is


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/api/health":
            self.answer(200, {{"database": database(), "version": "12.2.0-stand-in"}})
        else:
            self.answer(404, {{"message": "not found"}})

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        asked.append([self.command, self.path, self.rfile.read(length).decode()])
        (provisioning.parent / "asked.json").write_text(json.dumps(asked))
        self.answer(200, {{"id": 2}})

    do_PUT = do_PATCH = do_POST

    def answer(self, status, told):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())


server = ini["server"]
http.server.HTTPServer((server["http_addr"], int(server["http_port"])), Handler).serve_forever()
"""


def archive(extra: dict[str, bytes] | None = None, program: str = "bin/grafana") -> bytes:
    """Return the archive as bytes; `extra` adds or replaces members by name."""
    members = {
        f"grafana-v0/{program}": PROGRAM.format(python=sys.executable).encode(),
        "grafana-v0/conf/defaults.ini": b"[server]\n",
    } | (extra or {})
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = 0o755 if "/bin/" in name else 0o644
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def build_file(folder: Path, url: str, content: bytes) -> Path:
    """Write a build file that names `url` for this machine, with the checksum of `content`."""
    file = folder / "build.toml"
    digest = hashlib.sha256(content).hexdigest()
    file.write_text(
        f'version = "0.0.0"\n[{platform.machine()}]\nurl = "{url}"\nsha256 = "{digest}"\n'
    )
    return file
