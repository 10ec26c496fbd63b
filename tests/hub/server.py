"""As much of the model hub's HTTP interface as huggingface_hub and datasets use, on localhost.

    GET   /api/models/ID[/revision/REV]          the repository: its commit and its files
    GET   /api/models/ID/tree/REV                files with sizes and hashes
    POST  /api/models/ID/paths-info/REV          the same for the paths asked for
    POST  /api/repos/create                      a new repository; 409 where there is one
    POST  /api/models/ID/preupload/REV           how each file is to be sent: in the commit itself
    POST  /api/models/ID/commit/REV              files, as lines of JSON
    GET   /ID/resolve/REV/PATH                   one file; HEAD tells its commit, hash and size

Data sets are below ``/api/datasets`` and ``/datasets``. A gated repository shows its listing to
everybody and its files to nobody, as the real hub does. Every request is kept in ``Hub.requests``.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Hub", "Repository", "Request", "files_asked", "serve"]

TOKEN = "hf_of_the_tests"
"""The token that may write."""

Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """One request: ``GET /tester/tiny-llama/resolve/main/config.json``, and how it was answered."""

    method: str
    path: str
    status: int


@dataclass(slots=True)
class Repository:
    """A repository: its commits, and the branches that point at them."""

    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    gated: bool = False
    private: bool = False
    cut_files: set[str] = field(default_factory=set)
    """Files whose transfer breaks off in the middle, each time."""

    def commit(self, files: Files, branch: str = "main") -> str:
        """Put a state of all files on a branch; returns its commit, 40 hexadecimal digits."""
        content = b"".join(name.encode() + b"\0" + data for name, data in sorted(files.items()))
        commit = hashlib.sha1(content).hexdigest()
        self.commits[commit] = dict(files)
        self.branches[branch] = commit
        return commit

    def resolve(self, revision: str) -> str | None:
        """The commit of a branch or commit, None where there is none."""
        return self.branches.get(revision, revision if revision in self.commits else None)


@dataclass(slots=True)
class Hub:
    """Repositories by kind and id (``models/tester/tiny``), and what was asked of them."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def add(self, name: str, files: Files, *, gated: bool = False) -> Repository:
        """A repository of one commit; ``name`` is its kind and id, ``datasets/tester/tiny``."""
        repository = Repository(gated=gated)
        repository.commit(files)
        self.repositories[name] = repository
        return repository


def files_asked(requests: Iterable[Request], hub_id: str, *, sent: bool = False) -> set[str]:
    """Names of a repository's files that were asked for, and found; or only those sent whole."""
    mark = f"/{hub_id}/resolve/"
    methods = ("GET",) if sent else ("GET", "HEAD")
    return {
        request.path.partition(mark)[2].partition("/")[2]
        for request in requests
        if request.method in methods and mark in request.path and request.status == 200
    }


@contextmanager
def serve(hub: Hub) -> Iterator[str]:
    """Answer for ``hub`` on a free port until the block ends; gives the URL of the endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, hub))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        yield hub.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, hub: Hub, *arguments: Any) -> None:
        self.hub = hub
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self._answer(b"")

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr; ``Hub.requests`` has it."""

    def _answer(self, body: bytes) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/api/validate-yaml":
            self._send_json({"errors": [], "warnings": []})
            return
        if path == "/api/repos/create":
            self._create(json.loads(body))
            return
        kind, hub_id, action, revision, rest = _taken_apart(path)
        repository = self.hub.repositories.get(f"{kind}/{hub_id}")
        if repository is None:
            self._refuse(404, "RepoNotFound", "Repository not found")
            return
        commit = repository.resolve(revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        files = repository.commits[commit]
        if action == "preupload":
            self._send_json({"files": [_sent_as(file) for file in json.loads(body)["files"]]})
            return
        if action == "commit":
            commit = repository.commit({**files, **_committed(body)})
            self._send_json({"commitUrl": f"{self.hub.url}/{hub_id}", "commitOid": commit})
            return
        if action == "resolve":
            self._send_file(repository, files, commit, rest)
        elif action == "tree":
            self._send_json([_entry(name, data) for name, data in _below(files, rest)])
        elif action == "paths-info":
            self._send_json([_entry(name, files[name]) for name in _asked(body) if name in files])
        else:
            self._send_json(_information(hub_id, commit, files, repository))

    def _create(self, asked: dict[str, Any]) -> None:
        hub_id = f"{asked['organization']}/{asked['name']}"
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._refuse(401, "Unauthorized", "Invalid username or password")
        elif f"models/{hub_id}" in self.hub.repositories:
            self._send(409, json.dumps({"url": f"{self.hub.url}/{hub_id}"}).encode(), {})
        else:
            self.hub.add(f"models/{hub_id}", {}).private = asked.get("visibility") == "private"
            self._send_json({"url": f"{self.hub.url}/{hub_id}"})

    def _send_file(self, repository: Repository, files: Files, commit: str, name: str) -> None:
        if repository.gated:
            self._refuse(403, "GatedRepo", "Access to this repository is restricted")
        elif name not in files:
            self._refuse(404, "EntryNotFound", "Entry not found", commit)
        else:
            tag = f'"{_git_hash(files[name])}"'
            headers = {"ETag": tag, "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
            self._send(200, files[name], headers, breaks_off=name in repository.cut_files)

    def _send_json(self, values: Any) -> None:
        self._send(200, json.dumps(values).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str, message: str, commit: str = "") -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message, "X-Repo-Commit": commit}
        self._send(status, b"", {name: value for name, value in headers.items() if value})

    def _send(
        self, status: int, content: bytes, headers: Mapping[str, str], *, breaks_off: bool = False
    ) -> None:
        self.hub.requests.append(Request(self.command, unquote(self.path), status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if breaks_off else content)
            self.close_connection |= breaks_off


def _taken_apart(path: str) -> tuple[str, str, str, str, str]:
    """``/api/models/a/b/tree/main/x`` -> ``("models", "a/b", "tree", "main", "x")``."""
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        parts = parts[1:]
    elif parts[0] != "datasets":
        parts = ["models", *parts]
    kind, hub_id, rest = parts[0], "/".join(parts[1:3]), parts[3:]
    action, revision = (*rest, "", "")[:2]
    return kind, hub_id, action, revision or "main", "/".join(rest[2:])


def _below(files: Files, folder: str) -> Iterator[tuple[str, bytes]]:
    for name, data in files.items():
        if not folder or name.startswith(folder + "/"):
            yield name, data


def _asked(body: bytes) -> list[str]:
    """The paths of a paths-info request, which comes as JSON or as a form."""
    if body.startswith(b"{"):
        return list(json.loads(body)["paths"])
    return parse_qs(body.decode()).get("paths", [])


def _entry(name: str, data: bytes) -> dict[str, Any]:
    return {"type": "file", "path": name, "size": len(data), "oid": _git_hash(data)}


def _git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _sent_as(file: dict[str, Any]) -> dict[str, Any]:
    return {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}


def _committed(body: bytes) -> dict[str, bytes]:
    """The files of a commit: a line of JSON each, in base64."""
    lines = [json.loads(line) for line in body.splitlines()]
    return {
        line["value"]["path"]: base64.b64decode(line["value"]["content"])
        for line in lines
        if line["key"] == "file"
    }


def _information(hub_id: str, commit: str, files: Files, repository: Repository) -> dict[str, Any]:
    return {
        "_id": commit[:24],
        "id": hub_id,
        "sha": commit,
        "private": repository.private,
        "gated": "manual" if repository.gated else False,
        "disabled": False,
        "tags": [],
        "downloads": 0,
        "likes": 0,
        "siblings": [{"rfilename": name} for name in files],
    }
