#!/bin/sh
# Gives git the forge's token, which nobody else ever holds: run by git as
#   sh credential_helper.sh PROTOCOL HOST TOKEN_FILE get
# It answers for that protocol and host alone, stores and erases nothing, and reads the file anew each time.

[ "$4" = get ] || exit 0

protocol=
host=
while IFS= read -r line; do
    case $line in
    protocol=*) protocol=${line#protocol=} ;;
    host=*) host=${line#host=} ;;
    '') break ;;
    esac
done
[ "$protocol" = "$1" ] && [ "$host" = "$2" ] || exit 0

case $(ls -ldL -- "$3" 2>/dev/null) in
-r??------*) ;;
'') exit 0 ;;
*)
    echo "hero: others can read the forge's token: chmod 600 '$3'" >&2
    exit 1
    ;;
esac
token=
IFS= read -r token <"$3"
[ -n "$token" ] || exit 0
printf 'username=hero\npassword=%s\n' "$token"
