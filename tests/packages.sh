#!/bin/sh
# packages.sh [extra PACKAGE...]: install what is missing from Debian's
# packages; say what, then do it. Nothing missing: nothing is said or done.
set -eu

want="gcc libc6-dev pkg-config openssl libssl-dev libsqlite3-dev libjansson-dev
libusb-1.0-0-dev libfuse3-dev libncurses-dev gettext libzint-dev check $*"

missing=
for p in $want; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $p"
done
[ -n "$missing" ] || exit 0

echo "lineside: these Debian packages are missing and will be installed:$missing"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "lineside: neither root nor sudo here. As root, run:" >&2
    echo "    apt-get install$missing" >&2
    exit 3
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # word lists on purpose
{
    $as_root apt-get update -q >/dev/null
    $as_root apt-get install -y -q --no-install-recommends $missing >/dev/null
} || {
    echo "lineside: installing failed. Check the machine's Debian sources, then try again." >&2
    exit 3
}
