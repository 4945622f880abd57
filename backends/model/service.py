"""`hero_service.toml`: how a service is built, run and checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from backends.model.durations import Bytes, Seconds
from backends.model.errors import HeroError
from backends.model.field_types import RelativePath, ServiceName
from backends.model.names import BadValue, check_relative_path
from backends.model.placeholders import check_placeholders, fill, secrets_named
from backends.model.release import check_platform
from backends.model.tomlfile import Strict, TomlFile

__all__ = ["Build", "Health", "Run", "ServiceDescription", "fill", "secrets_named", "start_order"]

FILE_NAME = "hero_service.toml"

_SOCKET = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HTTP_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,500}")


def _check_socket(name: str) -> str:
    if not _SOCKET.fullmatch(name):
        raise BadValue(name, "a socket name: a small letter, then at most 30 of a-z, 0-9, `_`, `-`")
    return name


def _check_variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise BadValue(name, "the name of an environment variable: letters, digits and `_`")
    return name


def _check_text(text: str) -> str:
    # A process cannot be given a zero byte, neither in its arguments nor in its environment.
    if "\0" in text:
        raise BadValue(text, "text without a zero byte")
    return text


def _check_command(text: str) -> str:
    if not text.strip():
        raise BadValue(text, "a command")
    return _check_text(text)


def _check_http(path: str) -> str:
    if not _HTTP_PATH.fullmatch(path):
        raise BadValue(path, 'a path like "/health"')
    return path


def _check_positive(seconds: float) -> float:
    if seconds <= 0:
        raise BadValue(seconds, "a duration above zero")
    return seconds


def _check_some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise BadValue((), "at least one entry")
    return values


def _check_program(path: str) -> str:
    """A program of the archive ("bin/…") or of the system ("/…"); never looked for on a path."""
    if path.startswith("/"):
        check_relative_path(path[1:])
        return path
    if not path.startswith("bin/"):
        raise BadValue(path, 'a program as "bin/NAME" of the archive, or an absolute path')
    return check_relative_path(path)


SocketName = Annotated[str, AfterValidator(_check_socket)]
Text = Annotated[str, AfterValidator(_check_text)]
Arguments = Annotated[tuple[Text, ...], AfterValidator(_check_some)]
Environment = dict[Annotated[str, AfterValidator(_check_variable)], Text]
Timeout = Annotated[Seconds, AfterValidator(_check_positive)]


class Build(Strict):
    """`[build]`: `command` is run by `sh -c` in the worktree; `artifacts` are the files that it makes."""

    command: Annotated[str, AfterValidator(_check_command)]
    artifacts: Annotated[tuple[RelativePath, ...], AfterValidator(_check_some)] = Field(strict=False)
    platform: Annotated[str, AfterValidator(check_platform)]
    env: Environment = Field(default_factory=dict)
    timeout: Timeout = 1800.0


class Run(Strict):
    """`[run]`: `command` is an argument list; it and `env` may hold placeholders (see `fill`)."""

    sockets: tuple[SocketName, ...] = Field(default=(), strict=False)
    command: Arguments = Field(strict=False)
    env: Environment = Field(default_factory=dict)
    restart: Literal["always", "on-failure", "never"] = "on-failure"
    stop_timeout: Timeout = 10.0
    depends_on: tuple[ServiceName, ...] = Field(default=(), strict=False)
    memory_max: Bytes | None = None

    @field_validator("sockets", "depends_on")
    @classmethod
    def _named_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for index, name in enumerate(value):
            if name in value[:index]:
                raise BadValue(name, "each name once")
        return value

    @field_validator("command")
    @classmethod
    def _command_can_be_filled(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        _check_program(value[0])
        for argument in value[1:]:
            check_placeholders(argument, info.data.get("sockets"), secrets_allowed=False)
        return value

    @field_validator("env")
    @classmethod
    def _env_can_be_filled(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for text in value.values():
            check_placeholders(text, info.data.get("sockets"), secrets_allowed=True)
        return value


class Health(Strict):
    """`[health]`: at most one of `http` (a path, over the web socket), `command`, `socket` (it answers).

    With none of them a service is healthy while its process runs. Times are in seconds.
    """

    http: Annotated[str, AfterValidator(_check_http)] | None = None
    command: Arguments | None = Field(default=None, strict=False)
    socket: bool = False
    interval: Timeout = 10.0
    timeout: Timeout = 5.0
    start_timeout: Timeout = 30.0

    @field_validator("command")
    @classmethod
    def _one_check(cls, value: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if value is None:
            return value
        if info.data.get("http") is not None:
            raise BadValue("command", "only one of `http`, `command`, `socket`")
        _check_program(value[0])
        return value

    @field_validator("socket")
    @classmethod
    def _no_other_check(cls, value: bool, info: ValidationInfo) -> bool:
        if value and (info.data.get("http") is not None or info.data.get("command") is not None):
            raise BadValue("socket", "only one of `http`, `command`, `socket`")
        return value


class ServiceDescription(TomlFile):
    """The whole file. `build` is None for a service that is only run, never built here."""

    name: ServiceName
    build: Build | None = None
    run: Run
    health: Health = Health()

    @field_validator("run")
    @classmethod
    def _not_its_own_dependency(cls, value: Run, info: ValidationInfo) -> Run:
        if info.data.get("name") in value.depends_on:
            raise BadValue(info.data["name"], "a `depends_on` without the service itself")
        return value

    @field_validator("health")
    @classmethod
    def _health_has_its_socket(cls, value: Health, info: ValidationInfo) -> Health:
        run = info.data.get("run")
        if run is None:
            return value
        if value.http is not None and "web" not in run.sockets:
            raise BadValue(value.http, 'a socket called "web" in `run.sockets`, which `http` asks')
        if value.socket and not run.sockets:
            raise BadValue("socket", "a socket in `run.sockets`")
        for argument in (value.command or ())[1:]:
            check_placeholders(argument, run.sockets, secrets_allowed=False)
        return value


def start_order(services: Mapping[str, Collection[str]]) -> list[str]:
    """The services so that each comes after those it depends on; ties by name.

    `services` maps a name to what it depends on; dependencies that are not in it are ignored.
    Raises HeroError `conflict` that names a cycle.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(services):
        sorter.add(name, *sorted(needed for needed in services[name] if needed in services))
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = " → ".join(reversed(error.args[1]))
        raise HeroError(
            "conflict",
            f"The services depend on each other in a circle: {cycle}.",
            hint="Take one `depends_on` of these out of its hero_service.toml.",
            data={"cycle": list(reversed(error.args[1]))},
        ) from None
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order
