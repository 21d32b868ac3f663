"""What a loopback Hub holds: repositories, their commits, large objects, people and faults."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FaultKind = Literal["status", "truncate", "alter", "drop"]


def git_oid(content: bytes) -> str:
    """Return the object name that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class File:
    """One file of a commit; a large one is named by its sha256, a small one by git's name."""

    content: bytes
    large: bool

    @property
    def name(self) -> str:
        """What stands in the file's ETag."""
        return hashlib.sha256(self.content).hexdigest() if self.large else git_oid(self.content)


@dataclass
class Fault:
    """Something that goes wrong with requests whose ``METHOD path`` the pattern finds.

    Attributes:
        kind: status: answer with it. truncate: half of the body, then hang up. alter: other bytes
            of the same length. drop: hang up before the body of the request is read.
        times: How often, -1 for ever.
    """

    pattern: str
    kind: FaultKind = "status"
    status: int = 500
    times: int = -1

    def strikes(self, request: str) -> bool:
        """Whether this request goes wrong; counts down."""
        if self.times == 0 or re.search(self.pattern, request) is None:
            return False
        self.times -= 1
        return True


@dataclass
class Repository:
    """Commits by their name, and which one a branch or tag stands at."""

    private: bool
    commits: dict[str, dict[str, File]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a branch or the commit's own name means."""
        commit = self.branches.get(revision, revision)
        return commit if commit in self.commits else None


@dataclass
class Hub:
    """All of it.

    Attributes:
        people: By token, the namespaces that its owner may write to; the first is the own one.
        log: ``METHOD path`` of every request.
        bodies: What was sent with each.
    """

    people: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"hf_good": ("org", "me")})
    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def create(self, name: str, *, private: bool = False) -> Repository:
        """Add a repository with an empty first commit."""
        repository = self.repositories[name] = Repository(private)
        self.commit(name, {})
        return repository

    def commit(self, name: str, files: Mapping[str, bytes | None], *, branch: str = "main") -> str:
        """Add, replace or (with None) delete files; return the commit."""
        repository = self.repositories[name]
        parent = repository.branches.get(branch)
        content = dict(repository.commits[parent]) if parent else {}
        for path, given in files.items():
            if given is None:
                content.pop(path, None)
            else:
                content[path] = File(given, large=path.endswith(".safetensors"))
        seed = f"{name} {branch} {len(repository.commits)}"
        commit = hashlib.sha1(seed.encode()).hexdigest()
        repository.commits[commit] = content
        repository.branches[branch] = commit
        return commit

    def strike(self, request: str) -> Fault | None:
        """Return what goes wrong with a request, if anything does."""
        return next((fault for fault in self.faults if fault.strikes(request)), None)

    def may_read(self, name: str, token: str | None) -> bool:
        """Whether a repository is there for whoever holds the token."""
        repository = self.repositories.get(name)
        return repository is not None and (not repository.private or self.may_write(name, token))

    def may_write(self, name: str, token: str | None) -> bool:
        """Whether the token's owner may write to the repository's namespace."""
        return name.partition("/")[0] in self.people.get(token or "", ())


def file_facts(path: str, file: File) -> dict[str, Any]:
    """Return what ``/api/models/NAME?blobs=true`` tells of one file."""
    facts: dict[str, Any] = {"rfilename": path, "size": len(file.content)}
    facts["blobId"] = git_oid(file.content)
    if file.large:
        facts["lfs"] = {"sha256": file.name, "size": len(file.content), "pointerSize": 130}
    return facts
