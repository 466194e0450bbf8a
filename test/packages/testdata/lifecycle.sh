#!/bin/sh
# The life of the Debian package on a copy of this machine's system: an overlay that is
# thrown away, in name spaces of its own for mounts, processes and the network. Run as
# root by TestDebianPackage:
#
#   unshare --mount --net --pid --fork sh lifecycle.sh <directory> <old.deb> <new.deb> <posts> <install.md>
set -eu
dir=$1 old=$2 new=$3 posts=$4 page=$5
step() { echo "== $*"; }
fail() { echo "FAILED: $*"; cat "$root/tmp/collector.log" 2>/dev/null || true; exit 1; }

mount --make-rprivate /
mount -t tmpfs tmpfs "$dir"
mkdir "$dir/upper" "$dir/work" "$dir/root"
root=$dir/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run" # there is no systemd in it
mount -t tmpfs tmpfs "$root/tmp"
mount --bind /dev "$root/dev"
ip link set lo up
cp "$old" "$root/tmp/old.deb"
cp "$new" "$root/tmp/new.deb"
cp -r "$posts" "$root/tmp/posts"
in_root() { chroot "$root" "$@"; }

# start runs the commands of the unit as its user, with its environment.
start() {
	unit=$root/lib/systemd/system/legato.service
	{
		sed -n 's/^Environment=//p' "$unit" | tr ' ' '\n'
		grep -v '^#' "$root/etc/legato/legato.env"
	} | sed -n "s/^\([A-Z_]*\)=\(.*\)/export \1='\2'/p" >"$root/tmp/environment"
	for key in ExecStartPre ExecStart; do
		{
			cat "$root/tmp/environment"
			echo "cd $(sed -n 's/^WorkingDirectory=//p' "$unit")"
			echo "umask $(sed -n 's/^UMask=//p' "$unit")"
			echo "exec $(sed -n "s/^$key=//p" "$unit")"
		} >"$root/tmp/$key.sh"
	done
	user=$(sed -n 's/^User=//p' "$unit")
	as_user="setpriv --reuid $user --regid $user --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
	# shellcheck disable=SC2086 # one word for each option
	in_root $as_user sh /tmp/ExecStartPre.sh || fail "validate"
	# shellcheck disable=SC2086
	(exec chroot "$root" $as_user sh /tmp/ExecStart.sh) >"$root/tmp/collector.log" 2>&1 &
	collector=$!
	for _ in $(seq 600); do
		if curl -sf -o /dev/null http://localhost:13133/status && curl -sf -o /dev/null http://localhost:8088/; then return; fi
		kill -0 $collector 2>/dev/null || fail "it ended"
		sleep 0.1
	done
	fail "it does not come up"
}
stop() {
	kill -TERM $collector
	wait $collector || fail "a stop ends with $?"
}
meeting() { curl -sfL 'http://localhost:8088/find?id=d51bb12e-a7ae-4c3e-83ed-33ea6433a5d2'; }

# documented is the line of the page that begins with this, up to its comment.
documented() {
	line=$(sed -n "s/^\($1.*\)/\1/p" "$page" | sed 's/ *# .*//' | head -n 1)
	[ -n "$line" ] || fail "$page has no line that begins with: $1"
	echo "$line"
}

step install
begin=$(date +%s%N)
in_root dpkg -i /tmp/old.deb
[ "$(in_root stat -c '%U %a' /var/lib/legato)" = 'legato 750' ] || fail "state directory: $(in_root stat -c '%U %a' /var/lib/legato)"
[ "$(in_root stat -c '%U %a' /etc/legato/legato.env)" = 'root 600' ] || fail "environment file"
in_root otelcol-legato --version

step run
start
# A newcomer has no Meeting Server yet, and does what the page says under Verify.
for line in 'otelcol-legato validate' "curl -s 'localhost:13133" 'legato-callsim -target http:..localhost:8080'; do
	line=$(documented "$line")
	in_root sh -c "$line" >"$root/tmp/newcomer" 2>&1 || { cat "$root/tmp/newcomer"; fail "$line"; }
done
conferences() { curl -sf 'http://localhost:8088/' | grep -o 'href="conferences/[0-9a-f]*' | sort -u | wc -l; }
for _ in $(seq 100); do [ "$(conferences)" -ge 1 ] && break; sleep 0.1; done
[ "$(conferences)" -ge 1 ] || fail "no meeting on the page"
echo "newcomer: $((($(date +%s%N) - begin) / 1000000)) ms from dpkg -i to the first meeting on the page"
for post in "$root"/tmp/posts/post-[1-6].xml; do
	curl -sf --data-binary "@$post" http://localhost:8080/cdr || fail "post $post"
done
for _ in $(seq 100); do meeting | grep 'Weekly sync' >/dev/null && break; sleep 0.1; done
meeting | grep 'Weekly sync' >/dev/null || fail "the meeting is not on the page"
metrics() { curl -sf http://localhost:9464/metrics | grep ^cisco_meeting_server >/dev/null; }
for _ in $(seq 600); do metrics && break; sleep 0.1; done # they are sent every minute at the latest
metrics || fail "no metrics"
! find "$root/var/lib/legato" -perm /o+rwx -not -type l | grep . || fail "others can read this"
stop

step upgrade
echo '# an administrator was here' >>"$root/etc/legato/config.yaml"
echo 'LEGATO_PAGE=localhost:8088' >>"$root/etc/legato/legato.env"
in_root dpkg -i --force-confold /tmp/new.deb
grep -q 'administrator' "$root/etc/legato/config.yaml" || fail "the upgrade took the configuration"
[ "$(in_root stat -c '%U %a' /etc/legato/legato.env)" = 'root 600' ] || fail "environment file after the upgrade"
in_root dpkg -s legato | grep '^Version'
start
meeting | grep 'Weekly sync' >/dev/null || fail "the upgrade lost the meeting"
stop

step remove
in_root dpkg -r legato
[ ! -e "$root/usr/bin/otelcol-legato" ] || fail "the program stayed"
grep -q 'administrator' "$root/etc/legato/config.yaml" || fail "removal took the configuration"
[ -s "$root/var/lib/legato/calls.db" ] || fail "removal took the calls"

step purge
in_root dpkg -P legato
[ ! -e "$root/etc/legato/config.yaml" ] && [ ! -e "$root/var/lib/legato" ] || fail "a purge left something"
step done
