"""The broker's own steps: a key for its store that no disk has in the clear, and org keys for it to take in."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path

from deploy.setup.machine import is_file, run, succeeds, write_file
from deploy.setup.options import Options
from deploy.setup.places import BROKER
from deploy.setup.step import Step, Stopped

UNIT = "hero_aibroker.service"
CREDENTIAL = "hero_aibroker.store_key"
"""As backends/broker/sealing.py and the unit name it."""
SEALED = Path("/etc/credstore.encrypted") / CREDENTIAL
LEFT = BROKER / "keys"
STORE = BROKER / "store"


def store_key() -> Step:
    """The key that the broker encrypts its store with, where systemd can keep one."""
    return Step("store of the org's keys", _missing_key, _make_key)


def org_keys(options: Options) -> Step:
    """The org keys that were given, left for the broker, which takes them into its store when it starts."""
    return Step("org keys", lambda: _missing_keys(options), lambda: _leave_keys(options))


def has_left() -> bool:
    """Whether keys wait for the broker to start."""
    return LEFT.is_dir() and any(LEFT.iterdir())


def _missing_key() -> list[str]:
    if SEALED.is_file() or not succeeds("systemd-creds", "--version"):
        return []
    if _has_sealed():
        # A new key would open none of them; to go on without is for an admin to decide.
        raise Stopped(
            f"{SEALED} is gone, and keys in {STORE} are sealed with it. Bring it back, or remove them and set"
            " them anew"
        )
    return ["make a key for the broker's store with systemd-creds"]


def _has_sealed() -> bool:
    return any(_kept(path).get("sealed") for path in STORE.glob("*.key")) if STORE.is_dir() else False


def _make_key() -> None:
    SEALED.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = SEALED.with_name(f".{SEALED.name}.new")
    fresh.unlink(missing_ok=True)
    run("systemd-creds", "encrypt", f"--name={CREDENTIAL}", "-", str(fresh), stdin=secrets.token_hex(32))
    fresh.chmod(0o600)
    fresh.replace(SEALED)
    if succeeds("systemctl", "is-active", "--quiet", UNIT):
        run("systemctl", "restart", UNIT)


def _missing_keys(options: Options) -> list[str]:
    return [f"give {name} to the broker" for name, key in options.keys.items() if not _is_given(name, key)]


def _is_given(name: str, key: str) -> bool:
    if is_file(LEFT / name, f"{key}\n".encode(), 0o600, "hero-broker", "hero-broker"):
        return True
    return _kept(STORE / f"{name}.key").get("fingerprint") == hashlib.sha256(key.encode()).hexdigest()[:12]


def _leave_keys(options: Options) -> None:
    for name, key in options.keys.items():
        if not _is_given(name, key):
            write_file(LEFT / name, f"{key}\n".encode(), 0o600, "hero-broker", "hero-broker")


def _kept(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
