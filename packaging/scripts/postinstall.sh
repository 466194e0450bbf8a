#!/bin/sh
# Debian calls it with "configure" and the version before, RPM with how many versions
# are installed now. A service that is stopped or disabled stays so in an upgrade.
set -e
chown legato:legato /var/lib/legato
chmod 0750 /var/lib/legato
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
case "$1" in
configure)
	if [ -z "$2" ]; then
		systemctl enable --now legato.service || echo "legato: systemctl status legato says why it did not start" >&2
	else
		systemctl try-restart legato.service
	fi
	;;
1) ;; # An administrator enables services of RPM packages.
*) systemctl try-restart legato.service ;;
esac
