"""A small stand-in for the hub on a real socket: repositories, branches, large files, commits."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit

TOKEN = "hf_token_of_the_tests"


class FakeHub:
    """Keeps repositories in memory; one token may write to those of `me`."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, Any]] = {}
        """Name -> `private`, `files` (branch -> name -> content), `messages`."""
        self.large: dict[str, bytes] = {}
        """SHA-256 -> content."""
        self.asked: list[str] = []
        """Method and path of each request."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = unquote(urlsplit(self.path).path)
                hub.asked.append(f"{self.command} {path}")
                is_signed = path.startswith("/large/")
                if is_signed or self.headers.get("Authorization") == f"Bearer {TOKEN}":
                    status, answer = hub.answer(self.command, path, body)
                else:
                    status, answer = 401, {"error": "Invalid username or password."}
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                if "/resolve/" in path:
                    self.send_header("X-Repo-Commit", "0" * 40)
                    self.send_header("ETag", '"etag"')
                    if status == 404:
                        self.send_header("X-Error-Code", "EntryNotFound")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_HEAD = do_any  # noqa: N815 - the names of http.server

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def made(self, name: str, *, private: bool) -> dict[str, Any]:
        """Make a repository, with an empty main branch."""
        repo = {"private": private, "files": {"main": {}}, "messages": []}
        self.repos[name] = repo
        return repo

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Do what one request asks."""
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path.startswith("/large/"):
            self.large[path.removeprefix("/large/")] = body
            return 200, {}
        parts = path.removeprefix("/api/models/").strip("/").split("/")
        name = "/".join(parts[:2]).removesuffix(".git")
        repo, rest = self.repos.get(name), parts[2:]
        if repo is None:
            return 404, {"error": "Repository not found"}
        match method, rest:
            case "GET", []:
                return 200, {"id": name, "private": repo["private"], "siblings": [], "tags": []}
            case "POST", ["branch", branch]:
                is_new = branch not in repo["files"]
                repo["files"].setdefault(branch, {})
                return (200, {}) if is_new else (409, {"error": "Reference already exists"})
            case "HEAD", ["resolve", branch, file]:
                return (
                    (200, {})
                    if file in repo["files"].get(branch, {})
                    else (404, {"error": "Entry not found"})
                )
            case "POST", ["preupload", _]:
                files = json.loads(body)["files"]
                return 200, {"files": [self._mode(file["path"]) for file in files]}
            case "POST", ["info", "lfs", "objects", "batch"]:
                return 200, {"transfer": "basic", "objects": self._places(json.loads(body)["objects"])}
            case "POST", ["commit", branch]:
                return self._commit(name, branch, [json.loads(line) for line in body.splitlines()])
        return 404, {"error": f"no such route: {method} {path}"}

    def _create(self, wanted: dict[str, Any]) -> tuple[int, Any]:
        name = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        if not name.startswith("me/"):
            return 403, {"error": "You don't have the rights"}
        if name in self.repos:
            return 409, {"error": "You already created this model repo", "url": f"{self.url}/{name}"}
        self.made(name, private="private" in (wanted.get("visibility"), wanted.get("private") and "private"))
        return 200, {"url": f"{self.url}/{name}", "name": name}

    @staticmethod
    def _mode(path: str) -> dict[str, Any]:
        mode = "lfs" if path.endswith(".safetensors") else "regular"
        return {"path": path, "uploadMode": mode, "shouldIgnore": False}

    def _places(self, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**one, "actions": {"upload": {"href": f"{self.url}/large/{one['oid']}", "header": {}}}}
            for one in objects
        ]

    def _commit(self, name: str, branch: str, lines: list[dict[str, Any]]) -> tuple[int, Any]:
        repo = self.repos[name]
        files = repo["files"].setdefault(branch, {})
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                repo["messages"].append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                content = self.large[value["oid"]]
                assert hashlib.sha256(content).hexdigest() == value["oid"]
                files[value["path"]] = content
        commit = "1" * 40
        answer = {"success": True, "commitOid": commit, "commitUrl": f"{self.url}/{name}/commit/{commit}"}
        return 200, answer | {"hookOutput": "", "pullRequestUrl": f"{self.url}/{name}/discussions/1"}
