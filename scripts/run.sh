#!/bin/sh
# Starts callsim and the Collector on config/demo.yaml, shows the records as they
# arrive, and stops all of it on Ctrl-C. Run by `make run`.
set -eu
cd "$(dirname "$0")/.."
mkdir -p data/ocms
: >>data/records.jsonl
for log in data/callsim.log data/collector.log; do # the logs of the last run are kept
	[ ! -s $log ] || mv -f $log $log.1
	: >$log
done

callsim= collector=

# The Collector stops first: it signs out of the simulated servers.
stop() {
	trap - INT TERM HUP EXIT
	printf '\nStopping.\n'
	for process in $collector $callsim; do
		kill -TERM "$process" 2>/dev/null || true
		wait "$process" 2>/dev/null || true
	done
	exit "$1"
}
trap 'stop 0' INT TERM HUP
trap 'stop 1' EXIT

# errors prints the errors in the log of a program, or its last lines.
errors() {
	grep -E '^(Error|panic|fatal error|callsim):|	(error|fatal)	' "data/$1.log" >&2 || tail -n 5 "data/$1.log" >&2
}

# ready waits until the log of a program has a line, and fails if the program ends before.
ready() { # name, process id, text
	until grep -q "$3" "data/$1.log" || ! kill -0 "$2" 2>/dev/null; do
		sleep 0.2
	done
	if ! grep -q "$3" "data/$1.log"; then
		echo "$1 did not start:" >&2
		errors "$1"
		exit 1
	fi
}

# The bridges are there before the Collector asks for them. They keep their records until
# it registers.
dist/callsim -live -target registered -events localhost:8451 -mediasense-api localhost:8440 -ocms data/ocms/event.log -syslog-tcp localhost:5514 2>data/callsim.log &
callsim=$!
ready callsim $callsim 'MediaSense API of ms2' # the last of its servers

dist/otelcol-legato --config config/demo.yaml 2>data/collector.log &
collector=$!
ready collector $collector 'Everything is ready'

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
  its log    data/collector.log, and data/collector.log.1 of the last run

To point a real Call Bridge at it, let cmscdr listen on an address the bridge can
reach (endpoint in config/demo.yaml), then name it under registration, or on the bridge, in the web admin
interface under Configuration > CDR settings, or by its API:
  POST /api/v1/system/cdrReceivers   uri=http://<this host>:8080/cdr?system_id=<bridge name>
Each Call Bridge of a cluster needs it. Ctrl-C stops everything.

TEXT

# The body of each record, one a line. tail ends within a second after this script, and the
# others with it.
{
	tail -n 0 -F --pid=$$ data/records.jsonl |
		grep --line-buffered -oE '"body":\{"stringValue":"([^"\]|\\.)*"' |
		sed -u -e 's/^"body":{"stringValue":"/  /' -e 's/"$//' -e 's/\\"/"/g' -e 's/\\\\/\\/g'
} 2>/dev/null &

while kill -0 "$collector" 2>/dev/null && kill -0 "$callsim" 2>/dev/null; do
	sleep 1
done
for part in collector callsim; do
	eval "process=\$$part"
	if ! kill -0 "$process" 2>/dev/null; then
		status=0
		wait "$process" || status=$?
		if [ "$status" -gt 128 ]; then # by POSIX, the number of a signal and at least 128
			echo "$part was ended by the signal $(kill -l "$status"); its log is data/$part.log" >&2
		else
			echo "$part ended with exit status $status; its log, data/$part.log:" >&2
			errors "$part"
		fi
	fi
done
exit 1
