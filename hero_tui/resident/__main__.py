"""The process that gets cockpits ready; started by one that was not."""

from hero_tui.resident.server import main

if __name__ == "__main__":
    main()
