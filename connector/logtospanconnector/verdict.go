// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

// verdict is what became of a log record.
type verdict uint8

const (
	converted verdict = iota // zero: nothing is wrong
	skipped                  // it does not claim to be a span

	// The record claims to be a span and is none. Nothing is guessed: a span
	// with a made-up time or parent is worse than a missing one.
	traceIDMissing
	spanIDMissing
	startMissing
	startInvalid
	endMissing
	endBeforeStart
	nameInvalid
	kindUnknown
	statusUnknown
	parentIDInvalid
	parentIsSelf

	// The record is a span, but at least one of its links is none. A link adds to
	// a span; to refuse the span for it would lose more than the link.
	linkInvalid

	verdicts
)

// known describes the verdicts: the attributes of connector_logtospan_records,
// and what the log says, which must not have anything of the record in it.
var known = [verdicts]struct{ outcome, reason, explanation string }{
	converted:       {"converted", "", ""},
	skipped:         {"skipped", "", ""},
	traceIDMissing:  {"invalid", "trace_id_missing", "the record has no trace id"},
	spanIDMissing:   {"invalid", "span_id_missing", "the record has no span id"},
	startMissing:    {"invalid", "start_missing", "span.start_unix_nano is missing"},
	startInvalid:    {"invalid", "start_invalid", "span.start_unix_nano is not a positive whole number, as Int or decimal text"},
	endMissing:      {"invalid", "end_missing", "the record has no timestamp, which is the end of the span"},
	endBeforeStart:  {"invalid", "end_before_start", "the record's timestamp, the end of the span, is before span.start_unix_nano"},
	nameInvalid:     {"invalid", "name_invalid", "span.name is not a text, or it is empty and there is no event name in its place"},
	kindUnknown:     {"invalid", "kind_unknown", "span.kind is none of server, client, internal, producer, consumer"},
	statusUnknown:   {"invalid", "status_unknown", "span.status is none of unset, ok, error"},
	parentIDInvalid: {"invalid", "parent_id_invalid", "span.parent_id is not a span id of 16 hex digits"},
	parentIsSelf:    {"invalid", "parent_is_self", "span.parent_id is the span's own id"},
	linkInvalid:     {"converted", "link_invalid", "span.links has something that is not a map with trace_id and span_id in hex; the span was made without it"},
}

// tally counts the records of a batch by verdict.
type tally [verdicts]int64
