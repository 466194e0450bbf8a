#!/bin/sh
# Debian: "remove", or "upgrade" before a newer version. RPM: 0 when it is the last.
set -e
[ -d /run/systemd/system ] || exit 0
case "$1" in
remove | 0) systemctl disable --now legato.service ;;
esac
