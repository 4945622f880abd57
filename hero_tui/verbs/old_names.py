"""The names of before: `service_<svc> VERB`, `init sync`, `secrets_sync` and so on, each as the verb of today."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from backends.client.locate import Where
from backends.model.errors import HeroError, nearest, unknown_name
from hero_tui.render.text import clean
from hero_tui.verbs import parsing
from hero_tui.verbs.exits import DONE, NOTHING_TO_DO
from hero_tui.verbs.session import box_client, session_of
from hero_tui.verbs.whole_fleet import CATALOGUE_ALONE

SERVICE = "service_"
SECRETS = "secrets_"
WHOLE_SLOT = "service_complete"
VERBS_OF_A_SERVICE = ("install", "start", "stop", "restart", "status", "logs")


def carry_out_old(line: parsing.Line) -> int:
    """Carry out a line whose verb is a name of before; returns the exit code. Raises HeroError, SystemExit."""
    if line.verb == "init":
        return _sync(line)
    if line.verb.startswith(SECRETS):
        return _secrets(line)
    return _whole_slot(line) if line.verb == WHOLE_SLOT else _one_service(line)


def service_called(short: str, catalogue: Sequence[Mapping[str, str]]) -> str:
    """The service whose name is `short`, else whose is so behind `hero_`, else whose short name; "" for none."""
    meanings = {one["short"]: one["name"] for one in catalogue if one["short"]}
    meanings |= {one["name"].removeprefix("hero_"): one["name"] for one in catalogue}
    meanings |= {one["name"]: one["name"] for one in catalogue}
    return meanings.get(short, "")


def names_of(entry: Mapping[str, str]) -> list[str]:
    """What links to a service of the catalogue are called."""
    names = dict.fromkeys((entry["name"].removeprefix("hero_"), entry["short"]))
    return [f"{SERVICE}{name}" for name in names if name and f"{SERVICE}{name}" != WHOLE_SLOT]


def _sync(line: parsing.Line) -> int:
    if line.words.count("sync") != 1:
        raise parsing.unknown_verb(line.verb)
    asked = parsing.parse(parsing.Line("sync", [word for word in line.words if word != "sync"]))
    _hint(asked, "init sync", "sync")
    return parsing.run(asked)


def _secrets(line: parsing.Line) -> int:
    action = line.verb.removeprefix(SECRETS)
    asked = parsing.parse(parsing.Line("secrets", [*line.words, action]))
    _hint(asked, line.verb, f"secrets {action}")
    return parsing.run(asked)


def _whole_slot(line: parsing.Line) -> int:
    update = "--update" in line.words
    asked = parsing.parse(parsing.Line("start", [word for word in line.words if word != "--update"]))
    if asked.services:
        hint = "`hero_dev start SERVICE` starts one."
        raise HeroError("usage", f"`{WHOLE_SLOT}` is about the whole slot.", hint=hint)
    if not update:
        _hint(asked, WHOLE_SLOT, "start")
        return parsing.run(asked)
    _hint(asked, f"{WHOLE_SLOT} --update", "pull` and `hero_dev start")
    pull = argparse.Namespace(**{**vars(asked), "verb": "pull", "service": None})
    if asked.json:  # one document: that of the start
        pull.json, pull.quiet = False, True
    codes = {parsing.run(pull), parsing.run(asked)}
    return DONE if codes <= {DONE, NOTHING_TO_DO} and DONE in codes else max(codes)


def _one_service(line: parsing.Line) -> int:
    short = line.verb.removeprefix(SERVICE)
    inner = parsing.split(line.words)
    if not inner.verb and {"-h", "--help"} & set(inner.words):
        print(f"usage: {line.verb} {'|'.join(VERBS_OF_A_SERVICE)} …\n\nAs `hero_dev VERB SERVICE …`; see there.")
        return DONE
    if inner.verb not in VERBS_OF_A_SERVICE:
        raise _no_such_verb(line.verb, inner.verb)
    asked = parsing.parse(parsing.Line(inner.verb, [*inner.words, short]))
    session = session_of(asked)
    if inner.verb == "install":
        from hero_tui.verbs.box_new import ensure_box

        ensure_box(session)
    service = _resolved(session.where(), short)
    _put(asked, service)
    _hint(asked, f"{clean(line.verb)} {inner.verb}", f"{inner.verb} {clean(service)}")
    return parsing.run(asked)


def _put(asked: argparse.Namespace, service: str) -> None:
    """The service's whole name in place of its short one."""
    if hasattr(asked, "services"):
        asked.services = [*asked.services[:-1], service]
    else:
        asked.service = service


def _resolved(where: Where, short: str) -> str:
    """The service that is meant. Raises HeroError `not_found` with the nearest names."""
    with box_client(where) as client:
        catalogue = client.call("fleet.snapshot", CATALOGUE_ALONE)["catalogue"]
    if service := service_called(short, catalogue):
        return service
    raise unknown_name("service", short, [one["name"].removeprefix("hero_") for one in catalogue])


def _no_such_verb(name: str, verb: str) -> HeroError:
    close = nearest(verb, VERBS_OF_A_SERVICE, 1)
    meant = f"Did you mean `{close[0]}`? " if close else ""
    message = f"`{name}` has no verb {verb!r}." if verb else f"What should `{name}` do?"
    return HeroError("usage", message, hint=f"{meant}It knows {', '.join(VERBS_OF_A_SERVICE)}.")


def _hint(asked: argparse.Namespace, old: str, new: str) -> None:
    if not asked.quiet:
        print(f"hero_dev: `{old}` is `hero_dev {new}` now.", file=sys.stderr)
