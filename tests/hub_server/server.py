"""A Hub on a port of this machine: the HTTP that the real huggingface_hub client speaks.

Written from the requests that the client was seen to send and from the public description of the
Hub's API and of git-lfs. Xet is left out: the client must run with ``HF_HUB_DISABLE_XET``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.hub_server.repositories import Fault, Hub, file_facts

NAME = r"(?P<name>[^/]+/[^/]+)"


class Server(ThreadingHTTPServer):
    """The port and what is behind it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hub = Hub()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def store_url(self) -> str:
        """Where large objects lie: another host, as the client sees it."""
        return f"http://localhost:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up, as those of truncated answers do."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def do_GET(self) -> None:
        self.path_only = urlsplit(unquote(self.path)).path
        request = f"{self.command} {self.path_only}"
        with self.server.lock:
            self.server.hub.log.append(request)
            self.fault: Fault | None = self.server.hub.strike(request)
        if self.fault is not None and self.fault.kind == "drop":
            self.close_connection = True
            return
        self.body = self.read_body()
        self.server.hub.bodies.append(self.body)
        if self.fault is not None and self.fault.kind == "status":
            self.refuse(self.fault.status, "", "made to fail")
            return
        with self.server.lock:
            self.route()

    do_POST = do_PUT = do_HEAD = do_DELETE = do_GET

    def read_body(self) -> bytes:
        """Return the body, which comes in chunks where its length is not said."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while length := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def route(self) -> None:
        for pattern, method in ROUTES:
            found = re.fullmatch(pattern, self.path_only)
            if found:
                getattr(self, method)(**found.groupdict())
                return
        self.refuse(404, "", f"no route {self.path_only}")

    @property
    def token(self) -> str | None:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None

    def answer(self, content: Any, status: int = 200, /, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        length, sent = len(body), body
        if self.fault is not None and self.command == "GET":
            if self.fault.kind == "truncate":
                sent, self.close_connection = body[: length // 2], True
            elif self.fault.kind == "alter":
                sent = bytes([body[0] ^ 1]) + body[1:]
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)

    def refuse(self, status: int, code: str, message: str, **more: str) -> None:
        headers = {"X_Error_Message": message} | ({"X_Error_Code": code} if code else {})
        self.answer({"error": message, **more}, status, **headers)

    def readable(self, name: str) -> bool:
        """Answer as if nothing were there, unless the caller may read the repository."""
        hub = self.server.hub
        if self.token is not None and self.token not in hub.people:
            self.refuse(401, "", "Invalid credentials in Authorization header")
        elif hub.may_read(name, self.token):
            return True
        else:
            status = 401 if self.token is None else 404
            self.refuse(status, "RepoNotFound", "Repository not found")
        return False

    def writable(self, name: str) -> bool:
        if not self.readable(name):
            return False
        if self.server.hub.may_write(name, self.token):
            return True
        self.refuse(403, "", "Forbidden: you must have write access to the repository")
        return False

    def create(self) -> None:
        asked, hub = json.loads(self.body), self.server.hub
        if self.token not in hub.people:
            self.refuse(401, "", "Invalid username or password.")
            return
        owner = asked.get("organization") or hub.people[self.token][0]
        name = f"{owner}/{asked['name']}"
        url = f"{self.server.url}/{name}"
        if not hub.may_write(name, self.token):
            self.refuse(403, "", f"You don't have the rights to create a model under {owner}")
        elif name in hub.repositories:
            self.refuse(409, "", "You already created this model repo", url=url)
        else:
            hub.create(name, private=asked.get("visibility") == "private")
            self.answer({"url": url, "name": name})

    def validate_yaml(self) -> None:
        self.answer({"errors": [], "warnings": []})

    def branch(self, name: str, branch: str) -> None:
        if not self.writable(name):
            return
        repository = self.server.hub.repositories[name]
        if branch in repository.branches:
            self.refuse(409, "", "the branch is there already")
            return
        repository.branches[branch] = repository.branches["main"]
        self.answer({})

    def preupload(self, name: str, revision: str) -> None:
        if not self.writable(name):
            return
        repository = self.server.hub.repositories[name]
        commit = repository.resolve(revision)
        old = repository.commits[commit] if commit else {}
        files = [
            {
                "path": asked["path"],
                "uploadMode": "lfs" if asked["path"].endswith(".safetensors") else "regular",
                "shouldIgnore": False,
                "oid": old[asked["path"]].name if asked["path"] in old else None,
            }
            for asked in json.loads(self.body)["files"]
        ]
        self.answer({"files": files})

    def batch(self, name: str) -> None:
        if not self.writable(name):
            return
        objects = []
        for asked in json.loads(self.body)["objects"]:
            said: dict[str, Any] = {"oid": asked["oid"], "size": asked["size"]}
            if asked["oid"] not in self.server.hub.objects:
                said["actions"] = {
                    "upload": {"href": f"{self.server.store_url}/_objects/{asked['oid']}"},
                    "verify": {"href": f"{self.server.url}/_verify"},
                }
            objects.append(said)
        kind = "application/vnd.git-lfs+json"
        self.answer({"transfer": "basic", "objects": objects}, Content_Type=kind)

    def stored(self, oid: str) -> None:
        """Take an uploaded object, or give one away."""
        objects = self.server.hub.objects
        if self.command != "PUT":
            self.send_file(objects[oid])
        elif hashlib.sha256(self.body).hexdigest() != oid:
            self.refuse(400, "", "the content is not that of its name")
        else:
            objects[oid] = self.body
            self.answer({})

    def verify(self) -> None:
        there = json.loads(self.body)["oid"] in self.server.hub.objects
        self.answer({}, 200 if there else 404)

    def commit(self, name: str, revision: str) -> None:
        if not self.writable(name):
            return
        hub = self.server.hub
        changes: dict[str, bytes | None] = {}
        for line in self.body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                changes[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                changes[value["path"]] = hub.objects[value["oid"]]
            elif entry["key"] == "deletedFile":
                changes[value["path"]] = None
        commit = hub.commit(name, changes, branch=revision)
        url = f"{self.server.url}/{name}/commit/{commit}"
        self.answer({"success": True, "commitOid": commit, "commitUrl": url, "hookOutput": ""})

    def info(self, name: str, revision: str | None) -> None:
        if not self.readable(name):
            return
        repository = self.server.hub.repositories[name]
        commit = repository.resolve(revision or "main")
        if commit is None:
            self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        files = repository.commits[commit]
        siblings = [file_facts(path, files[path]) for path in sorted(files)]
        facts = {"_id": "0", "id": name, "modelId": name, "sha": commit, "siblings": siblings}
        self.answer(facts | {"private": repository.private, "tags": [], "downloads": 0, "likes": 0})

    def resolve(self, name: str, revision: str, path: str) -> None:
        if not self.readable(name):
            return
        repository = self.server.hub.repositories[name]
        commit = repository.resolve(revision)
        if commit is None:
            self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        file = repository.commits[commit].get(path)
        if file is None:
            headers = {"X_Error_Code": "EntryNotFound", "X_Repo_Commit": commit}
            self.answer({"error": "Entry not found"}, 404, **headers)
            return
        headers = {"ETag": f'"{file.name}"', "X_Repo_Commit": commit}
        if not file.large:
            self.send_file(file.content, **headers)
            return
        self.server.hub.objects[file.name] = file.content
        headers |= {"X_Linked_Etag": f'"{file.name}"', "X_Linked_Size": str(len(file.content))}
        self.answer({}, 302, Location=f"{self.server.store_url}/_objects/{file.name}", **headers)

    def send_file(self, content: bytes, **headers: str) -> None:
        """Send a file, or its end where the client asks to go on with it."""
        headers |= {"Content_Type": "application/octet-stream", "Accept_Ranges": "bytes"}
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if wanted is None or self.command != "GET":
            self.answer(content, 200, **headers)
            return
        start = int(wanted[1])
        headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.answer(content[start:], 206, **headers)


ROUTES = (
    ("/api/repos/create", "create"),
    ("/api/validate-yaml", "validate_yaml"),
    (rf"/api/models/{NAME}/branch/(?P<branch>.+)", "branch"),
    (rf"/api/models/{NAME}/preupload/(?P<revision>.+)", "preupload"),
    (rf"/api/models/{NAME}/commit/(?P<revision>.+)", "commit"),
    (rf"/api/models/{NAME}(?:/revision/(?P<revision>.+))?", "info"),
    (rf"/{NAME}\.git/info/lfs/objects/batch", "batch"),
    (r"/_objects/(?P<oid>[0-9a-f]{64})", "stored"),
    ("/_verify", "verify"),
    (rf"/{NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "resolve"),
)
"""Patterns of paths, and which method answers."""


@contextmanager
def running() -> Iterator[Server]:
    """Yield a Hub that answers until the block ends."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
