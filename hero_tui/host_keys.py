"""The keys of the machine and its disks, a part of the one table of keys."""

from __future__ import annotations

from hero_tui.key import Key

HOST_KEYS: tuple[Key, ...] = (
    Key("app.host", "8", "host", "any", "The machine: who takes what of it", "app.place('host')", verb="host"),
    Key("host.open", "enter", "slot", "host", "The slot under the cursor", "screen.host_open", 1),
    Key("host.view", "v,tab", "view", "host", "Processes, disk, containers", "screen.host_view", 5),
    Key(
        "host.measure",
        "m",
        "measure",
        "host",
        "Measure the disks now; again: give it up",
        "screen.host_measure",
        10,
        verb="host --disk --fresh",
    ),
    Key(
        "host.clean",
        "D",
        "clean",
        "host",
        "Remove what can go of my slot, after its plan",
        "screen.host_clean",
        15,
        radius="high",
        read_only=False,
        verb="clean",
    ),
    Key(
        "host.sort", "O", "sort", "host", "By memory, processor, size, growth, name, state", "screen.host_sort", 20
    ),
    Key("host.fold", "z", "fold", "host", "Only the sums of slots or stacks, or all", "screen.host_fold", 25),
    Key("host.span", "t", "time", "host", "The trend of the last hour, or of two days", "screen.host_span", 30),
    Key("host.filter", "/", "filter", "host", "By words; /!without, /-f letters", "screen.host_filter", 60),
    Key("host.going", "!", "can go", "host", "Only what can be removed", "screen.host_going", 65),
    Key("host.mine", ".", "mine", "host", "Only my slot", "screen.host_mine", 70),
    Key(
        "host.copy",
        "c",
        "copy",
        "host",
        "Copy its path, the verb that removes it, its name",
        "screen.host_copy",
        75,
    ),
    Key("host.describe", "d", "details", "host", "Show or hide the details", "screen.host_describe", 80),
)

HOST_PLACES: dict[str, tuple[str, ...]] = {"host": ("any", "host", "list")}
