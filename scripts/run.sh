#!/bin/sh
# Starts the Collector on config/demo.yaml and callsim beside it, shows the
# records as they arrive, and stops all of it on Ctrl-C. Run by `make run`.
set -eu
cd "$(dirname "$0")/.."
mkdir -p data/ocms
: >>data/records.jsonl
: >data/collector.log

dist/otelcol-legato --config config/demo.yaml 2>data/collector.log &
collector=$!
callsim= tail=

stop() {
	trap - INT TERM HUP EXIT
	printf '\nStopping.\n'
	for process in $callsim $collector $tail; do
		kill -TERM "$process" 2>/dev/null || true
	done
	wait $callsim $collector $tail 2>/dev/null || true
	rm -f data/show
	exit "$1"
}
trap 'stop 0' INT TERM HUP
trap 'stop 1' EXIT

# The Collector says so itself when it is ready, or why it is not.
until grep -q 'Everything is ready' data/collector.log; do
	if ! kill -0 "$collector" 2>/dev/null; then
		echo 'The Collector did not start:' >&2
		grep -E '^Error:|	error	' data/collector.log >&2 || tail -n 5 data/collector.log >&2
		exit 1
	fi
	sleep 0.2
done

dist/callsim -live -target registered -events localhost:8451 -mediasense-api localhost:8440 -ocms data/ocms/event.log -syslog-tcp localhost:5514 2>data/callsim.log &
callsim=$!

cat <<'TEXT'

legato is running, with three simulated Call Bridges and two MediaSense servers
(callsim). It registers itself at each bridge, which posts its call detail records to
it from then on, asks for the bridges of the cluster, follows their events on
localhost:8451 to 8453 and reads their API; MediaSense tells it of recordings and disks. The
SIP proxy in front of the bridges writes data/ocms/event.log. The bridges send their
syslog to localhost:5514, with the API requests of TMS, which schedules meetings.
kill -USR1 $(pgrep callsim) takes their servers down, and up again.

  page       http://localhost:8088/          who is in which meeting, who left why, how bad the line was
  records    data/records.jsonl              one line of OTLP JSON per post; shown below in short
  traces     data/traces.jsonl               one span for each call, leg, SIP dialog, recording and session, 10 s after its end,
                                             and for each scheduled meeting and API request
             grep <trace id> data/records.jsonl  one meeting: its records, syslog lines, API requests, legs, SIP dialogs and
                                             recording; its span links to that of TMS's requests (scheduled_meeting)
  rows       data/calls.db                   the same in SQL, from the start on: sqlite3 data/calls.db
  metrics    http://localhost:9464/metrics   of the meetings, recordings and disks
             http://localhost:8888/metrics   of the Collector itself
  its log    data/collector.log

To point a real Call Bridge at it, let cmscdr listen on an address the bridge can
reach (endpoint in config/demo.yaml), then name it under registration, or on the bridge, in the web admin
interface under Configuration > CDR settings, or by its API:
  POST /api/v1/system/cdrReceivers   uri=http://<this host>:8080/cdr?system_id=<bridge name>
Each Call Bridge of a cluster needs it. Ctrl-C stops everything.

TEXT

# The body of each record, one a line. The pipe has a name so that the process
# id of tail is known, which would run on otherwise.
rm -f data/show
mkfifo data/show
tail -n 0 -F data/records.jsonl >data/show 2>/dev/null &
tail=$!
grep --line-buffered -oE '"body":\{"stringValue":"([^"\]|\\.)*"' <data/show |
	sed -u -e 's/^"body":{"stringValue":"/  /' -e 's/"$//' -e 's/\\"/"/g' -e 's/\\\\/\\/g' &

while kill -0 "$collector" 2>/dev/null && kill -0 "$callsim" 2>/dev/null; do
	sleep 1
done
for part in collector callsim; do
	eval "process=\$$part"
	if ! kill -0 "$process" 2>/dev/null; then
		echo "$part ended by itself; the end of data/$part.log:" >&2
		tail -n 3 "data/$part.log" >&2
	fi
done
exit 1
