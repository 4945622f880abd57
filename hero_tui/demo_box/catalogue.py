"""The demo's services: what each is, and the commits that its branches are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

ORG = "lhumina_code"
TRUNK = "development"


@dataclass(frozen=True)
class Commit:
    """One commit: who, what, and what app.py says after it. `release`: it is built and published."""

    author: str
    subject: str
    page: str
    release: bool = False
    ready_after: float = 0.0
    breaks: str = ""


@dataclass(frozen=True)
class DemoService:
    """One service with the commits of its trunk and of its other branches (each from the trunk's tip)."""

    name: str
    short: str
    core: bool
    about: str
    work: str
    trunk: tuple[Commit, ...]
    branches: dict[str, tuple[Commit, ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    @property
    def repo(self) -> str:
        return f"{ORG}/{self.name}"


CRASH = """

def work():
    global _beats
    _beats += 1
    if _beats > 1:
        print("thread 'main' panicked at src/codec.rs:88: frame of 0 samples", file=sys.stderr, flush=True)
        os._exit(101)
    return "INFO", "decoding the microphone's frames"


EVERY = 0.05
"""

SYNTAX_ERROR = "\n\ndef shelves(:\n    return 12\n"

SERVICES: tuple[DemoService, ...] = (
    DemoService(
        "hero_db",
        "db",
        True,
        "Keeps what the others must not forget.",
        '"INFO", f"checkpoint {beat()}: 0 dirty pages"',
        (
            Commit("thabet", "Begin with an append-only store", '{"tables": 3}'),
            Commit("thabet", "Compact segments in the background", '{"tables": 5}', release=True),
            Commit("mik", "Answer range scans without a copy", '{"tables": 5, "scan": "zero-copy"}', release=True),
        ),
    ),
    DemoService(
        "hero_router",
        "router",
        True,
        "Finds the service that answers a path.",
        '"INFO", f"routes checked, {beat()} times, none moved"',
        (
            Commit("alice", "Route by the first part of the path", '{"routes": 4}'),
            Commit("alice", "Keep websockets open over a change", '{"routes": 6}', release=True),
            Commit("thabet", "Refuse paths with two dots", '{"routes": 6, "strict": True}', release=True),
        ),
        {
            "development_mik": (
                Commit("mik", "Try weighted routes", '{"routes": 6, "weights": "draft"}'),
                Commit("mik", "Weighted routes, with a canary", '{"routes": 7, "canary": "5%"}', release=True),
            ),
            "feature/router-metrics": (
                Commit("alice", "Count requests by status", '{"routes": 6, "metrics": True}', release=True),
            ),
        },
        ("hero_db",),
    ),
    DemoService(
        "hero_slides",
        "slides",
        False,
        "Turns notes into slides.",
        '"INFO", f"rendered {beat()} slides, 0 late"',
        (
            Commit("mik", "Render one slide", '{"slides": 1}'),
            Commit("mik", "Render a deck", '{"slides": 24}', release=True),
            Commit("alice", "Speaker notes", '{"slides": 24, "notes": True}', release=True),
        ),
        {
            "development_alice": (Commit("alice", "Try a darker theme", '{"slides": 24, "theme": "dark"}'),),
            "development_mik": (
                Commit("mik", "Export as PDF", '{"slides": 24, "export": ["pdf"]}', release=True),
            ),
        },
    ),
    DemoService(
        "hero_books",
        "books",
        False,
        "The library's catalogue.",
        '"DEBUG", f"index warm, {beat()} lookups"',
        (
            Commit("alice", "List books", '{"books": 120}', release=True),
            Commit("mik", "Find by author", '{"books": 120, "find": "author"}', release=True),
        ),
        {
            "development_mik": (
                Commit("mik", "Shelves, not finished", '{"books": 120, "shelves": 12}', breaks=SYNTAX_ERROR),
            ),
        },
    ),
    DemoService(
        "hero_search",
        "search",
        False,
        "Searches everything that the others keep; reads its index before it answers.",
        '"INFO", f"merged segment {beat()}"',
        (
            Commit("thabet", "Search titles", '{"documents": 900}', ready_after=3.0),
            Commit("thabet", "Search whole texts", '{"documents": 4200}', release=True, ready_after=4.0),
        ),
    ),
    DemoService(
        "hero_voice",
        "voice",
        False,
        "Listens and writes down.",
        '"INFO", f"heard {beat()} words"',
        (
            Commit("thabet", "Write down one speaker", '{"speakers": 1}', release=True),
            Commit("mik", "Tell two speakers apart", '{"speakers": 2}', release=True),
        ),
        {
            "development_thabet": (
                Commit("thabet", "New codec", '{"speakers": 2, "codec": "new"}', release=True, breaks=CRASH),
            ),
        },
    ),
    DemoService(
        "hero_mail",
        "mail",
        False,
        "Sends what the others want told.",
        '"INFO", f"queue empty, {beat()} sent today"',
        (
            Commit("alice", "Send plain text", '{"queue": 0}'),
            Commit("alice", "Try again when a server is busy", '{"queue": 0, "retries": 5}', release=True),
            Commit("mik", "Sign what is sent", '{"queue": 0, "retries": 5, "signed": True}'),
        ),
    ),
)

PEOPLE = {
    "alice": "Alice Okafor",
    "mik": "Mik Lindqvist",
    "thabet": "Thabet Haddad",
    "integration": "Integration",
}


def app_source(service: DemoService, commit: Commit) -> str:
    """The text of app.py at `commit`."""
    lines = [
        f'"""{service.about}"""',
        "",
        "import os",
        "import sys",
        "",
        f"READY_AFTER = {commit.ready_after}",
        "EVERY = 4.0",
        "_beats = 0",
        "",
        "",
        "def beat():",
        "    global _beats",
        "    _beats += 1",
        "    return _beats",
        "",
        "",
        "def page(path):",
        f"    return {commit.page}",
        "",
        "",
        "def work():",
        f"    return {service.work}",
    ]
    return "\n".join(lines) + "\n" + commit.breaks


def description(service: DemoService) -> str:
    """The text of hero_service.toml."""
    needs = ", ".join(f'"{name}"' for name in service.needs)
    return f"""schema = 1
name = "{service.name}"

[build]
command = "python3 build.py"
artifacts = ["dist/{service.name}"]
platform = "linux-any"
timeout = "2m"

[run]
command = ["bin/{service.name}", "--socket", "{{socket:web}}"]
sockets = ["web"]
depends_on = [{needs}]
stop_timeout = "5s"

[health]
http = "/health"
start_timeout = "20s"
"""
