#!/bin/sh
# What was recorded stays when the package is removed; a purge takes it, as Debian
# has it. RPM has no purge. The user stays: it owns the files.
set -e
if [ "$1" = purge ]; then
	rm -rf /var/lib/legato /etc/legato
fi
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
