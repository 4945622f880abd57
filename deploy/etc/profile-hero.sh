# shellcheck shell=sh
# Hero Team Box: a login on a terminal opens the tmux session with the cockpit; everything else is left as it is.
# `touch ~/.hero_no_login` or HERO_NO_LOGIN=1 skips it; `ssh -t BOX bash` is a plain shell in any case.

_hero_login() {
    [ -d "${HOME:-/nonexistent}/hero" ] || return 0
    # In /tmp neighbours could reach tmux's socket, and take its place.
    if [ -n "${XDG_RUNTIME_DIR:-}" ] && [ -w "$XDG_RUNTIME_DIR" ]; then
        export TMUX_TMPDIR="$XDG_RUNTIME_DIR"
    fi
    # A person at a terminal: not scp, rsync, git, a command, an editor that asks for the environment.
    case $- in *c*) return 0 ;; *i*) ;; *) return 0 ;; esac
    [ -t 0 ] && [ -t 1 ] || return 0
    case ${TERM:-dumb} in dumb | unknown) return 0 ;; esac
    [ -z "${TMUX:-}" ] && [ -z "${STY:-}" ] && [ -z "${HERO_LOGIN:-}" ] || return 0
    [ -z "${HERO_NO_LOGIN:-}" ] && [ ! -e "$HOME/.hero_no_login" ] || return 0
    if [ -z "${SSH_TTY:-}" ]; then
        _hero_parent=
        read -r _hero_parent 2>/dev/null <"/proc/$PPID/comm" || :
        [ "$_hero_parent" = mosh-server ] || return 0
    fi
    [ "$(id -u)" -ne 0 ] || return 0

    # A login shell inside this one is the plain shell.
    export HERO_LOGIN=1
    _hero_code=0
    trap : INT
    # `login` turns standard error on again as soon as it runs.
    hero_dev login 2>/dev/null || _hero_code=$?
    trap - INT
    case $_hero_code in
    0) exit 0 ;;
    10) ;;
    127) printf 'hero: hero_dev cannot be run here; this is your plain shell.\n' ;;
    *) printf 'hero: no cockpit (exit %s); this is your plain shell. "hero_dev login" says more.\n' "$_hero_code" ;;
    esac
}

_hero_login
unset -f _hero_login
unset _hero_code _hero_parent
