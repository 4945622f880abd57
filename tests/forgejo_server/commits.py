"""Routes of branches, tags, commits, their files and their statuses."""

from __future__ import annotations

import base64
from typing import Any

from starlette.responses import Response

from tests.forgejo_server import events
from tests.forgejo_server.api import ApiError, Ask
from tests.forgejo_server.state import Repository, Status, moment

_COMMIT = "%H%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00"


def _commits(repo: Repository, *arguments: str) -> list[dict[str, Any]]:
    said = repo.git("log", f"--format=tformat:{_COMMIT}", *arguments, "--", check=False).decode(errors="replace")
    fields = said.split("\0")[:-1]
    return [_commit(*(field.strip("\n") for field in fields[at : at + 8])) for at in range(0, len(fields), 8)]


def _commit(
    sha: str, name: str, mail: str, when: str, by: str, their: str, then: str, message: str
) -> dict[str, Any]:
    return {
        "sha": sha,
        "html_url": "",
        "commit": {
            "message": message,
            "author": {"name": name, "email": mail, "date": when},
            "committer": {"name": by, "email": their, "date": then},
        },
    }


def _branch(repo: Repository, name: str, sha: str) -> dict[str, Any]:
    (found,) = _commits(repo, "-n1", sha)
    body = found["commit"]
    author = {"name": body["author"]["name"], "email": body["author"]["email"], "username": ""}
    told = {"id": sha, "message": body["message"], "timestamp": body["author"]["date"], "author": author}
    return {"name": name, "commit": told, "protected": False, "user_can_push": True, "user_can_merge": True}


def branches(ask: Ask) -> Response:
    repo = ask.repo()
    lines = repo.git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", "refs/heads/").decode()
    names = [line.removeprefix("refs/heads/") for line in lines.splitlines()]
    heads = repo.refs("refs/heads/")
    return ask.page(names, lambda name: _branch(repo, name, heads[f"refs/heads/{name}"]))


def branch(ask: Ask) -> Any:
    repo = ask.repo()
    sha = repo.refs("refs/heads/").get(f"refs/heads/{ask.part('branch')}")
    if sha is None:
        raise ApiError(404, "The target couldn't be found.", errors=["branch does not exist"])
    return _branch(repo, ask.part("branch"), sha)


def create_branch(ask: Ask) -> Any:
    repo = ask.repo(write=True)
    name = ask.body.get("new_branch_name")
    if not isinstance(name, str) or not name:
        raise ApiError(422, "[NewBranchName]: Required")
    refs = repo.refs()
    if not repo.refs("refs/heads/"):
        raise ApiError(404, "Git Repository is empty.")
    if f"refs/heads/{name}" in refs or f"refs/tags/{name}" in refs:
        raise ApiError(409, "The branch already exists.")
    sha = repo.find(ask.body.get("old_ref_name") or repo.default_branch)
    if sha is None:
        raise ApiError(500 if ask.world.flavour == "forgejo" else 404, "")
    done = repo.git("update-ref", f"refs/heads/{name}", sha, check=False)
    if repo.refs("refs/heads/").get(f"refs/heads/{name}") != sha:
        raise ApiError(409, f"The branch conflicts with another one. {done.decode()}")
    repo.touch()
    return 201, _branch(repo, name, sha)


def remove_branch(ask: Ask) -> Any:
    repo = ask.repo(write=True)
    repo.git("update-ref", "-d", f"refs/heads/{ask.part('branch')}")
    return 204, None


def tag(ask: Ask) -> Any:
    repo, name = ask.repo(), ask.part("tag")
    sha = repo.refs("refs/tags/").get(f"refs/tags/{name}")
    if sha is None:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    return {"name": name, "message": "", "id": sha, "commit": {"sha": sha, "url": ""}}


def create_tag(ask: Ask) -> Any:
    repo, name = ask.repo(write=True), str(ask.body.get("tag_name", ""))
    sha = repo.find(ask.body.get("target") or repo.default_branch)
    if f"refs/tags/{name}" in repo.refs():
        raise ApiError(409, "tag already exists")
    if sha is None:
        raise ApiError(404, "target not found")
    repo.git("update-ref", f"refs/tags/{name}", sha)
    events.tag_pushed(repo, name)
    return 201, {"name": name, "commit": {"sha": sha}}


def tag_refs(ask: Ask) -> Any:
    repo, prefix = ask.repo(), f"refs/tags/{ask.part('prefix')}"
    found = [
        {"ref": name, "object": {"type": "commit", "sha": sha}}
        for name, sha in repo.refs("refs/tags/").items()
        if name.startswith(prefix)
    ]
    if not found:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    exact = ask.world.flavour == "forgejo" and len(found) == 1 and found[0]["ref"] == prefix
    return found[0] if exact else found


def git_commit(ask: Ask) -> Any:
    repo = ask.repo()
    sha = repo.find(ask.part("sha"))
    if sha is None:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    return _commits(repo, "-n1", sha)[0]


def commits(ask: Ask) -> Response:
    repo = ask.repo()
    sha = repo.find(ask.text("sha") or repo.default_branch)
    if sha is None:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    without = repo.find(ask.text("not")) if ask.text("not") else None
    return ask.page(_commits(repo, sha, *([f"^{without}"] if without else [])), lambda one: one)


def compare(ask: Ask) -> Any:
    repo = ask.repo()
    base, _, head = ask.part("span").partition("...")
    ends = repo.find(base), repo.find(head)
    if None in ends:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    found = _commits(repo, f"{ends[0]}..{ends[1]}")
    return {"total_commits": len(found), "commits": found}


def raw(ask: Ask) -> Response:
    repo = ask.repo()
    sha = repo.find(ask.text("ref") or repo.default_branch)
    path = ask.part("path")
    kind = repo.git("cat-file", "-t", f"{sha}:{path}", check=False).strip() if sha else b""
    if kind != b"blob":
        raise ApiError(404, "The target couldn't be found.", errors=[])
    return Response(repo.git("cat-file", "blob", f"{sha}:{path}"), media_type="text/plain")


def contents(ask: Ask) -> Any:
    repo, path = ask.repo(), ask.part("path")
    sha = repo.find(ask.text("ref") or repo.default_branch)
    blob = repo.git("rev-parse", "--verify", "--quiet", f"{sha}:{path}", check=False).decode().strip()
    if not blob:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    content = repo.git("cat-file", "blob", blob)
    coded = base64.b64encode(content).decode()
    return {
        "type": "file",
        "path": path,
        "sha": blob,
        "size": len(content),
        "encoding": "base64",
        "content": coded,
    }


def put_contents(ask: Ask) -> Any:
    """Create (POST) or change (PUT) one file by a commit of its own."""
    repo, path = ask.repo(write=True), ask.part("path")
    name = ask.body.get("branch") or repo.default_branch
    head = repo.refs("refs/heads/").get(f"refs/heads/{name}")
    there = repo.git("rev-parse", "--verify", "--quiet", f"{head}:{path}", check=False).decode().strip()
    if ask.request.method == "POST" and there:
        raise ApiError(422, f"repository file already exists [path: {path}]")
    if ask.request.method == "PUT" and ask.body.get("sha") != there:
        raise ApiError(409, "sha does not match")
    content = base64.b64decode(str(ask.body.get("content", "")))
    blob = repo.git("hash-object", "-w", "--stdin", data=content).decode().strip()
    tree = _tree_with(repo, head, path, blob)
    who = ["-c", "user.name=Forge", "-c", "user.email=forge@hero.example"]
    parent = ["-p", head] if head else []
    message = str(ask.body.get("message") or f"Update {path}")
    made = repo.git(*who, "commit-tree", tree, *parent, "-m", message).decode().strip()
    repo.git("update-ref", f"refs/heads/{name}", made)
    repo.touch()
    return (201 if ask.request.method == "POST" else 200), {"content": {"sha": blob}, "commit": {"sha": made}}


def _tree_with(repo: Repository, head: str | None, path: str, blob: str) -> str:
    first, _, rest = path.partition("/")
    below = repo.git("ls-tree", "-z", f"{head}:", check=False).decode() if head else ""
    lines = [line for line in below.split("\0") if line and line.partition("\t")[2] != first]
    if rest:
        inner = repo.git("rev-parse", "--verify", "--quiet", f"{head}:{first}", check=False).decode().strip()
        sub = _tree_with(repo, inner or None, rest, blob) if inner else _tree_with(repo, None, rest, blob)
        lines.append(f"040000 tree {sub}\t{first}")
    else:
        lines.append(f"100644 blob {blob}\t{first}")
    return repo.git("mktree", data="".join(f"{line}\n" for line in lines).encode()).decode().strip()


# -- statuses ---------------------------------------------------------------------------------------


def add_status(ask: Ask) -> Any:
    repo = ask.repo(write=True)
    sha = repo.find(ask.part("sha"))
    if sha is None:
        raise ApiError(500 if ask.world.flavour == "forgejo" else 404, "")
    state = ask.body.get("state")
    if state not in ("pending", "success", "failure", "error", "warning"):
        raise ApiError(422, "invalid state")
    text = {name: str(ask.body.get(name) or "") for name in ("context", "description", "target_url")}
    made = Status(next(ask.world.numbers), str(state), text["context"], text["description"], text["target_url"])
    repo.statuses.setdefault(sha, []).append(made)
    return 201, _status(made)


def statuses(ask: Ask) -> Any:
    repo = ask.repo()
    sha = repo.find(ask.part("ref"))
    if sha is None:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    newest = {one.context: one for one in repo.statuses.get(sha, [])}
    return {
        "sha": sha,
        "state": "",
        "total_count": len(newest),
        "statuses": [_status(one) for one in newest.values()],
    }


def _status(status: Status) -> dict[str, Any]:
    return {
        "id": status.id,
        "status": status.state,  # not `state`, which is what it is set by
        "context": status.context,
        "description": status.description,
        "target_url": status.url,
        "created_at": moment(status.created),
    }
