"""Which sockets lie where the router may go, and the names that lead there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.model.service import ServiceDescription
from backends.model.tomlfile import parse
from backends.slot.web_names import WebNames, public_socket


def described(*sockets: str) -> ServiceDescription:
    names = ", ".join(f'"{name}"' for name in sockets)
    text = f'schema = 1\nname = "hero_x"\n[run]\ncommand = ["bin/x"]\nsockets = [{names}]\n'
    return parse(ServiceDescription, text, "hero_service.toml")


def describing(**services: ServiceDescription) -> Callable[[str], ServiceDescription]:
    def describe(service: str) -> ServiceDescription:
        if service not in services:
            raise HeroError("not_found", "Nothing is installed.")
        return services[service]

    return describe


def links(folder: Path) -> dict[str, str]:
    return {one.name: str(one.readlink()) for one in (folder / ".web").iterdir() if one.is_symlink()}


@pytest.mark.parametrize(
    ("sockets", "public"),
    [(("rpc", "web"), "web"), (("ui",), "ui"), (("ui", "web"), "web"), (("rpc",), ""), ((), "")],
)
def test_the_web_socket_is_for_people_else_the_ui_socket(sockets: tuple[str, ...], public: str) -> None:
    assert public_socket(described(*sockets)) == public


def test_only_the_public_socket_lies_where_the_router_may_go(tmp_path: Path) -> None:
    names, description = WebNames(tmp_path), described("web", "rpc", "ui")
    names.lay("hero_x", description)
    assert names.socket("hero_x", "web", description) == tmp_path / ".web" / "hero_x" / "web.sock"
    for private in ("rpc", "ui"):
        assert names.socket("hero_x", private, description) == tmp_path / "hero_x" / f"{private}.sock"
    assert (tmp_path / "hero_x" / "web.sock").readlink() == Path("../.web/hero_x/web.sock")
    modes = [(tmp_path / one).stat().st_mode & 0o777 for one in ("hero_x", ".web", ".web/hero_x")]
    assert modes == [0o700, 0o710, 0o710]


def test_what_a_process_before_left_is_gone_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    names = WebNames(tmp_path)
    names.lay("hero_x", described("ui", "rpc"))
    for left in ("hero_x/rpc.sock", "hero_x/data.db", ".web/hero_x/ui.sock"):
        (tmp_path / left).touch()
    names.lay("hero_x", described("web", "ui", "rpc"))
    here = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if not one.is_dir()}
    assert here == {"hero_x/web.sock", "hero_x/data.db"}


def test_bound_services_have_their_short_names_and_no_others(tmp_path: Path) -> None:
    names = WebNames(tmp_path, "https://box.example/alice")
    describe = describing(hero_x=described("web"), hero_u=described("ui", "rpc"), hero_db=described("rpc"))
    shorts = {"hero_x": "x", "hero_u": "u", "hero_db": "db", "hero_gone": "gone", "hero_other": "other"}
    names.keep(shorts, ("hero_x", "hero_u", "hero_db", "hero_gone", "hero_own"), describe)
    assert links(tmp_path) == {"x.sock": "hero_x/web.sock", "u.sock": "hero_u/ui.sock"}
    assert names.url("hero_x") == "https://box.example/alice/x/"
    assert {names.url(one) for one in ("hero_db", "hero_gone", "hero_own", "hero_other")} == {""}


def test_another_name_in_the_catalogue_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    names, describe = WebNames(tmp_path), describing(hero_x=described("web"))
    names.keep({"hero_x": "x"}, ("hero_x",), describe)
    names.keep({"hero_x": "new"}, ("hero_x",), describe)
    assert links(tmp_path) == {"new.sock": "hero_x/web.sock"}
    names.keep({"hero_x": "new"}, (), describe)
    assert links(tmp_path) == {}


def test_a_service_that_starts_before_it_is_bound_has_its_name(tmp_path: Path) -> None:
    names = WebNames(tmp_path, "https://box.example/alice")
    names.keep({"hero_x": "x"}, (), describing())
    names.lay("hero_x", described("web"))
    assert links(tmp_path) == {"x.sock": "hero_x/web.sock"}
    assert names.url("hero_x") == "https://box.example/alice/x/"
    names.lay("hero_x", described("rpc"))
    assert names.url("hero_x") == ""


def test_only_links_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".web" / "hero_x").mkdir(parents=True)
    (tmp_path / ".web" / "mine.sock").touch()
    (tmp_path / ".web" / "old.sock").symlink_to("nowhere")
    WebNames(tmp_path).keep({}, (), describing())
    assert [one.name for one in sorted((tmp_path / ".web").iterdir())] == ["hero_x", "mine.sock"]


def test_a_folder_that_leads_elsewhere_is_left_alone_and_told(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "theirs.sock").symlink_to("nowhere")
    (tmp_path / ".web").symlink_to("elsewhere")
    names, describe = WebNames(tmp_path), describing(hero_x=described("web"))
    names.keep({"hero_x": "x"}, ("hero_x",), describe)
    assert [one.name for one in (tmp_path / "elsewhere").iterdir()] == ["theirs.sock"]
    with pytest.raises(HeroError, match="is a link"):
        names.lay("hero_x", described("web"))


def test_without_a_router_there_is_no_url(tmp_path: Path) -> None:
    names = WebNames(tmp_path)
    names.keep({"hero_x": "x"}, ("hero_x",), describing(hero_x=described("web")))
    assert names.url("hero_x") == ""
    assert links(tmp_path) == {"x.sock": "hero_x/web.sock"}
