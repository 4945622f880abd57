#!/bin/sh
# Makes a fresh Debian 12 or Ubuntu 24.04 machine a team's box; run it again at any time, it does what is missing.
#   bootstrap.sh --team GIT_URL [--forge URL] [--host NAME] [--restore FILE] [--check]
# `bootstrap.sh --help` tells everything. All but the first package is Python: deploy/setup.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
say() { printf 'bootstrap: %s\n' "$*" >&2; }

if ! command -v python3 >/dev/null 2>&1; then
    case " $* " in
    *" --check "*)
        say "would install python3, and could tell what else only then"
        exit 0
        ;;
    esac
    [ "$(id -u)" -eq 0 ] || { say "run this as root"; exit 2; }
    say "installing python3"
    DEBIAN_FRONTEND=noninteractive apt-get -q -y update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install python3 >/dev/null
fi
export PYTHONDONTWRITEBYTECODE=1
cd "$here"
exec python3 -m deploy.setup "$@"
