# shellcheck shell=sh
# Hero Team Box: a login on a terminal opens the cockpit; everything else is left as it is.
