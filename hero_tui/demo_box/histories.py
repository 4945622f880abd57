"""Real git histories for the demo, each repository written by one `git fast-import`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from backends.model.errors import HeroError
from hero_tui.demo_box.catalogue import PEOPLE, TRUNK, Commit, DemoService, app_source, description

DAY = 86_400
GIT = ("git", "-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True)
class Made:
    """A commit that was written: its branch, its hash and what it is."""

    branch: str
    commit: str
    what: Commit


async def write_service(repository: Path, service: DemoService, now: int) -> list[Made]:
    """Write all branches of `service` into the bare `repository`; `now` in seconds since the epoch.

    Returns the commits, each branch oldest first, the trunk before the others.
    """
    planned = list(_planned(service))
    common = {name: _common(name) for name in ("server.py", "build.py")}
    common["hero_service.toml"] = description(service).encode()
    common[".gitignore"] = b"dist/\n"
    common["README.md"] = f"# {service.name}\n\n{service.about}\n".encode()
    stream = bytearray()
    for number, (branch, commit) in enumerate(planned, start=1):
        parent = _parent(service, planned, number)
        tree = {**common, "app.py": app_source(service, commit).encode()}
        age = (len(planned) - number + 1) * DAY + len(service.name) * 3600
        stream += _commit(number, branch, commit.author, commit.subject, now - age, tree, parent)
    hashes = await _import(repository, bytes(stream), len(planned))
    return [Made(branch, hashes[index], what) for index, (branch, what) in enumerate(planned)]


async def write_files(repository: Path, tree: dict[str, str], subject: str, when: int) -> str:
    """One commit of `tree` on the trunk of the bare `repository`; returns its hash."""
    content = {path: text.encode() for path, text in tree.items()}
    stream = _commit(1, TRUNK, "integration", subject, when, content, None)
    return (await _import(repository, stream, 1))[0]


def _planned(service: DemoService) -> Iterator[tuple[str, Commit]]:
    for commit in service.trunk:
        yield TRUNK, commit
    for branch, commits in service.branches.items():
        for commit in commits:
            yield branch, commit


def _parent(service: DemoService, planned: list[tuple[str, Commit]], number: int) -> int | None:
    """The mark that commit `number` stands on: the one before it, or the trunk's tip at a branch's start."""
    if number == 1:
        return None
    if planned[number - 1][0] == planned[number - 2][0]:
        return number - 1
    return len(service.trunk)


def _commit(
    mark: int, branch: str, author: str, subject: str, when: int, tree: dict[str, bytes], parent: int | None
) -> bytes:
    who = f"{PEOPLE[author]} <{author}@hero.example> {when} +0000"
    text = subject.encode()
    lines = [
        f"commit refs/heads/{branch}".encode(),
        f"mark :{mark}".encode(),
        f"author {who}".encode(),
        f"committer {who}".encode(),
        f"data {len(text)}".encode(),
        text,
    ]
    if parent is not None:
        lines.append(f"from :{parent}".encode())
    for path, content in tree.items():
        lines += [f"M 100644 inline {path}".encode(), f"data {len(content)}".encode(), content]
    return b"\n".join(lines) + b"\n"


async def _import(repository: Path, stream: bytes, commits: int) -> list[str]:
    marks = repository / "demo.marks"
    argv = [*GIT, "-C", str(repository), "fast-import", "--quiet", f"--export-marks={marks}"]
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate(stream)
    if process.returncode:
        raise HeroError("failed", f"git could not write {repository}: {said.decode('utf-8', 'replace')[-300:]}")
    found = dict(line.split() for line in marks.read_text().splitlines())
    marks.unlink()
    return [found[f":{number}"] for number in range(1, commits + 1)]


def _common(name: str) -> bytes:
    return files("hero_tui").joinpath("demo_box", "sources", "common", name).read_bytes()
