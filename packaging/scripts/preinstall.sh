#!/bin/sh
# The system user, before its files are there.
set -e
if ! getent passwd legato >/dev/null; then
	useradd --system --user-group --no-create-home --home-dir /var/lib/legato --shell /usr/sbin/nologin legato
fi
