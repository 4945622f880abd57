"""What a daemon may say that lies: values made after the models, names that are traps, and what spoils both."""

from __future__ import annotations

import contextlib
import copy
import json
import types
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, ValidationError

from tests.hero_tui.fleets import SERVICES, USERS

NAMES = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x1b]52;c;cm0gLXJmIC8=\x07copied",
    "\x9b31mred\x9d0;t\x9c\x90q\x9c",
    "\u202eelbatnuoc\u202c\u2066x\u2069",
    "مرحبا بالعالم",
    "数据库服务器名字很长很长",
    "e\u0301" * 30,
    "\u0301\u0302leading",
    "a\u200bb\u200cc\u200dd\ufefff",
    "👨\u200d👩\u200d👧\u200d👦🏳️\u200d🌈",
    "two\nlines\rand\ttabs\x0b\x0c",
    "\ud800lone\udfff",
    "[bold red]markup[/] [@click=app.quit]here[/]",
    "../../../../etc/passwd",
    "a/b@demo",
    "nul\x00byte",
    "{0.__class__} %s %n $(reboot) `reboot` ; reboot",
    "--version",
    "@all",
    "1",
    "\u2028\u2029\x85",
    "ﷺ" * 8,
    "\U000e0041\U000e0042\ufff9x\ufffb",
    "x" * 5_000,
    "",
    " ",
)
LONG = ("x" * 1_000_000, "é\u0301" * 200_000, "\n" * 300_000, "漢" * 300_000, "a b " * 250_000)
TIMES = (
    "2026-11-20T10:00:00Z",
    "2026-11-20T09:59:57.25Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "1969-12-31T23:59:59Z",
    "1900-01-01T00:00:00+05:53",
    "2026-11-20T10:00:00",
    0,
    -62135596800,
    253402300799,
    1e11,
    "2076-11-20T10:00:00Z",
)
WHOLES = (0, 1, -1, 2, 7, 100, 2**31, 2**63, -(2**63), 10**30, -(10**30))
PARTS = (0.0, 0.5, 1.0, -1.0, 100.0, 1e-300, 1e18, 1e300, -1e300)
TRAPS: tuple[Any, ...] = (
    None,
    True,
    False,
    -1,
    1.5,
    "",
    "x",
    [],
    {},
    [[]],
    {"a": {}},
    [None],
    ["x"] * 3,
    10**400,
    float("inf"),
)
_WORDS = ("Weigh the routes", "exit 101", "development", "invalid syntax, line 3", "12 B", "0000000b" * 5)
_POOLS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("slot", "user", "sender", "to", "actor", "author"), (*USERS, "nobody")),
    **dict.fromkeys(("service", "services", "subject"), (*SERVICES, "hero_nothing")),
    **dict.fromkeys(("branch", "trunk", "newest"), ("development", "development_mik", "feature/none")),
    **dict.fromkeys(
        ("id", "operation", "waiting", "build"), ("1", "2", "3", "hero_books-1", "op-1", "q-1", "b-1")
    ),
    "box": ("demo",),
    "stream": ("s1",),
}
_PLAIN: Mapping[Any, tuple[Any, ...]] = {
    bool: (True, False),
    int: WHOLES,
    float: PARTS,
    datetime: TIMES,
    AwareDatetime: TIMES,
    type(None): (None,),
}


class Liar:
    """Makes values of models and spoils them; the same `seed` lies the same."""

    def __init__(self, seed: str):
        self.random = Random(seed)

    def model(self, model: type[BaseModel], depth: int = 0) -> dict[str, Any]:
        """A value that the model takes, or would take but for one of its odd fields."""
        made = {}
        for name, info in model.model_fields.items():
            if info.is_required() or self.random.random() < 0.6:
                made[info.alias or name] = self._value(info.annotation, name, depth + 1)
        return made

    def _value(self, kind: Any, name: str, depth: int) -> Any:
        chance = self.random
        origin, inside = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return self._value(chance.choice(inside), name, depth)
        if origin is Literal:
            return chance.choice(inside)
        if origin is tuple and inside[-1] is not Ellipsis:
            return [self._value(one, name, depth) for one in inside]
        if origin in (tuple, list):
            count = 0 if depth > 5 else chance.choice((0, 1, 1, 2, 3, 12))
            return [self._value(inside[0], name, depth) for _ in range(count)]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return self.model(kind, depth)
        if kind in _PLAIN:
            usual = kind in (int, float) and chance.random() < 0.3
            return _PLAIN[kind][0] if usual else chance.choice(_PLAIN[kind])
        return self.text(name) if kind is str else {}

    def text(self, name: str = "") -> str:
        """A name that is known, a word, or a trap."""
        chance = self.random.random()
        if chance < 0.6:
            return self.random.choice(_POOLS.get(name, _WORDS))
        return self.random.choice(NAMES if chance < 0.995 else LONG)

    def spoiled(self, value: Any, most: int = 4) -> Any:
        """A copy of `value` of which some parts are others."""
        other = json.loads(json.dumps(value, allow_nan=True))
        for _ in range(self.random.randint(1, most)):
            other = self._spoil(other)
        return other

    def believed(self, value: Any, model: type[BaseModel]) -> Any:
        """A copy of which some parts are others, and that the model takes if one of a few does."""
        for _ in range(12):
            other = self.spoiled(value, 8)
            with contextlib.suppress(ValidationError):
                model.model_validate(json.loads(written(other)))
                break
        return other

    def _spoil(self, value: Any) -> Any:
        holder, key = self._somewhere(value)
        if holder is None:
            return self._other(value)
        way = self.random.random()
        if way < 0.15:
            del holder[key]
        elif way < 0.25 and isinstance(holder, list):
            holder[key:key] = [holder[key]] * self.random.choice((1, 2, 1000))
        elif way < 0.28 and isinstance(holder, dict):
            holder[self.text()] = self._other(holder[key])
        else:
            holder[key] = self._other(holder[key])
        return value

    def _somewhere(self, value: Any) -> tuple[Any, Any]:
        """A list or object in `value`, and a place in it."""
        holder, key = None, None
        while isinstance(value, dict | list) and value:
            holder, key = value, self.random.choice(list(value) if isinstance(value, dict) else range(len(value)))
            value = holder[key]
            if self.random.random() < 0.25:
                break
        return holder, key

    def _other(self, value: Any) -> Any:
        """Mostly something of the same kind: what is refused at the door teaches little."""
        chance = self.random
        if chance.random() < 0.2:
            return copy.deepcopy(chance.choice(TRAPS))
        if isinstance(value, bool) or value is None:
            return chance.choice((True, False, None, self.text()))
        if isinstance(value, int):
            return chance.choice(WHOLES)
        if isinstance(value, float):
            return chance.choice(PARTS)
        if isinstance(value, str):
            stamped = len(value) > 10 and value[4:5] == "-" and value[10:11] == "T"
            return chance.choice(TIMES) if stamped else self.text()
        return chance.choice(([], {}, None)) if chance.random() < 0.5 else value


def written(value: Any) -> bytes:
    """`value` as a line; what is endless is a number that is read as that."""
    return json.dumps(value, separators=(",", ":")).replace("Infinity", "1e999").encode() + b"\n"
