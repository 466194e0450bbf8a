// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"slices"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/redact"
)

// Limits bound the state of a Reader.
type Limits struct {
	// RequestBytes and RequestLines are the largest size of one request. The rest is
	// left out, and the record is marked as incomplete.
	RequestBytes, RequestLines int
	// HostRequests is the largest number of open requests of one bridge, Hosts the largest
	// number of bridges. The oldest request and the least recently used bridge are dropped.
	HostRequests, Hosts int
	// Bytes is the largest size of all open requests together.
	Bytes int
}

// DefaultLimits have room for the largest pages of the API and a busy cluster.
var DefaultLimits = Limits{RequestBytes: 64 << 10, RequestLines: 4096, HostRequests: 256, Hosts: 256, Bytes: 16 << 20}

// Options of a Reader.
type Options struct {
	// Location is the zone of dates without a zone. Default UTC.
	Location *time.Location
	// TraceTimeout ends a request with a response so long after its last line.
	TraceTimeout time.Duration
	// ResponseTimeout ends a request without a response so long after its last line.
	ResponseTimeout time.Duration
	Limits          Limits
}

// Default time-outs of Options.
const (
	DefaultTraceTimeout    = 2 * time.Second
	DefaultResponseTimeout = time.Minute
)

// Reader turns the lines of all bridges into records. It owns the open API traces. It is
// not safe for concurrent use.
type Reader struct {
	options   Options
	parser    headerParser
	bridges   map[bridgeKey]*bridge
	sources   map[string]*source
	lineCount uint64 // number of lines read, the clock of sequences
	openCount int    // traces
	bytes     int    // of all traces
	record    Record
}

// source is the state of a sender of lines.
type source struct {
	lastLine uint64
	// endsInSecret is true if the last line ends within a secret. A line without a date
	// may then be the rest of the secret. It is valid only if evaluated is true.
	endsInSecret bool
	tail         string // the end of the last line, until it is evaluated
	evaluated    bool   // secret is
}

// maxTail is how much of a line's end is kept to tell whether it ends in a secret.
const maxTail = 256

// NewReader returns a Reader without state.
func NewReader(options Options) *Reader {
	if options.Location == nil {
		options.Location = time.UTC
	}
	return &Reader{
		options: options, parser: headerParser{location: options.Location},
		bridges: make(map[bridgeKey]*bridge), sources: make(map[string]*source),
	}
}

// Open returns the number of open requests.
func (r *Reader) Open() int { return r.openCount }

// Bytes returns the size of the open requests.
func (r *Reader) Bytes() int { return r.bytes }

// Read reads a line that the sender from sent and that arrived at now. It passes each
// record that the line completes to take. Lines of one sender must come in order.
func (r *Reader) Read(now time.Time, from, line string, take func(*Record)) {
	r.lineCount++
	line = strings.TrimRight(line, "\r\n\x00")
	if skipBlanks(line) == "" {
		return
	}
	header, message := r.parser.parse(line, now)
	s := r.sourceFor(from)
	number, text, isTrace := cutTrace(message)
	if header.Form == FormUnknown && !isTrace {
		if at := strings.Index(message, "API trace "); at >= 0 {
			number, text, isTrace = cutTrace(message[at:])
		}
	}
	switch {
	case isTrace:
		s.setTail(line)
		r.readTrace(header, from, now, number, text, take)
	case header.Form == FormUnknown:
		record := r.newRecord(header, from, now)
		record.Kind = KindUnparsed
		if s.continuesSecret(line) {
			record.Text, record.Redacted = redact.Mark, true
		} else {
			record.setText(message)
		}
		take(record)
	default:
		s.setTail(line)
		h := r.bridgeFor(bridgeKey{from, header.Host}, take) // may end requests of another bridge
		record := r.newRecord(header, from, now)
		parseMessage(record, h, message)
		record.Severity = max(record.Severity, kindProperties[record.Kind].minSeverity)
		take(record)
	}
}

func (r *Reader) newRecord(h Header, from string, now time.Time) *Record {
	r.record = Record{Header: h, Source: from, Observed: now, Severity: h.severity(), Fields: r.record.Fields[:0]}
	return &r.record
}

// setTail stores the end of a line with a date.
func (s *source) setTail(line string) {
	s.evaluated, s.endsInSecret = false, false
	s.tail = ""
	if at := max(0, len(line)-maxTail); redact.MayHoldSecret(line[at:]) {
		s.tail = line[at:]
	}
}

// continuesSecret reports whether a line without a date is the rest of a secret that begins
// in the previous line. It also determines whether this line ends within a secret.
func (s *source) continuesSecret(line string) bool {
	if !s.evaluated {
		s.endsInSecret, s.evaluated = s.tail != "" && endsInSecret(s.tail), true
		s.tail = ""
	}
	continues := s.endsInSecret
	s.endsInSecret = continues || endsInSecret(line[max(0, len(line)-maxTail):])
	return continues
}

func (r *Reader) sourceFor(from string) *source {
	s := r.sources[from]
	if s == nil {
		if len(r.sources) >= maxSources {
			oldest := from
			for name, candidate := range r.sources {
				if oldest == from || candidate.lastLine < r.sources[oldest].lastLine {
					oldest = name
				}
			}
			delete(r.sources, oldest)
		}
		s = new(source)
		r.sources[strings.Clone(from)] = s
	}
	s.lastLine = r.lineCount
	return s
}

// maxSources is the largest number of senders; the least recently used are dropped.
const maxSources = 1024

// bridgeFor returns a bridge. A new one at the limit replaces the least recently used one,
// whose open requests end.
func (r *Reader) bridgeFor(key bridgeKey, take func(*Record)) *bridge {
	h := r.bridges[key]
	if h == nil {
		if len(r.bridges) >= r.options.Limits.Hosts {
			var oldest *bridge
			for _, candidate := range r.bridges {
				if oldest == nil || candidate.lastLine < oldest.lastLine {
					oldest = candidate
				}
			}
			r.endBridge(oldest, take)
			delete(r.bridges, oldest.key)
		}
		key = bridgeKey{strings.Clone(key.source), strings.Clone(key.host)}
		h = newBridge(key)
		r.bridges[key] = h
	}
	h.lastLine = r.lineCount
	return h
}

// readTrace adds a line to its trace, and ends the traces that the line completes.
func (r *Reader) readTrace(header Header, from string, now time.Time, number uint64, text string, take func(*Record)) {
	h := r.bridgeFor(bridgeKey{from, header.Host}, take)
	if kind, _ := classifyLine(text); kind == kindRequest {
		if known := h.traces[number]; known != nil && (known.method != "" || known.status != 0) {
			r.end(h, known, "", take) // the bridge has restarted its numbering
		}
	}
	t := h.traces[number]
	if t == nil {
		r.makeRoom(h, take)
		t = &trace{number: number, header: cloneHeader(header), observed: now, requestSize: -1, sequence: r.lineCount}
		h.traces[number] = t
		r.openCount++
		r.charge(h, traceOverhead)
	}
	before := t.bytes
	t.lastArrival = now
	t.add(text, header.Time, &r.options.Limits)
	r.charge(h, t.bytes-before)
	if t.complete(false) {
		r.end(h, t, "", take)
	}
	r.endOthers(h, number, take)
	for r.bytes > r.options.Limits.Bytes {
		r.evictLargest(take)
	}
}

// traceOverhead is the memory of an open trace without its texts, in bytes.
const traceOverhead = 512

func (r *Reader) charge(h *bridge, bytes int) {
	h.bytes += bytes
	r.bytes += bytes
}

// endOthers ends the traces of a bridge that a line of another trace completes.
func (r *Reader) endOthers(h *bridge, number uint64, take func(*Record)) {
	for _, t := range h.traces {
		if t.number != number && t.complete(true) {
			r.endMatchingOf(h, func(t *trace) bool { return t.number != number && t.complete(true) }, take)
			return
		}
	}
}

// endMatchingOf ends the traces that match, in the order in which they began.
func (r *Reader) endMatchingOf(h *bridge, match func(*trace) bool, take func(*Record)) {
	var ending []*trace
	for _, t := range h.traces {
		if match(t) {
			ending = append(ending, t)
		}
	}
	slices.SortFunc(ending, func(a, b *trace) int { return compareSequence(a.sequence, b.sequence) })
	for _, t := range ending {
		r.end(h, t, "", take)
	}
}

func compareSequence(a, b uint64) int {
	if a < b {
		return -1
	}
	return 1
}

// makeRoom ends the oldest trace of a bridge at its limit.
func (r *Reader) makeRoom(h *bridge, take func(*Record)) {
	if len(h.traces) >= r.options.Limits.HostRequests {
		r.end(h, h.oldestTrace(), IncompleteEvicted, take)
	}
}

// evictLargest ends the oldest trace of the bridge with the most bytes, so that a bridge,
// or a sender that uses its name, cannot displace the traces of others.
func (r *Reader) evictLargest(take func(*Record)) {
	var largest *bridge
	for _, h := range r.bridges {
		if len(h.traces) > 0 && (largest == nil || h.bytes > largest.bytes) {
			largest = h
		}
	}
	r.end(largest, largest.oldestTrace(), IncompleteEvicted, take)
}

func (h *bridge) oldestTrace() (oldest *trace) {
	for _, t := range h.traces {
		if oldest == nil || t.sequence < oldest.sequence {
			oldest = t
		}
	}
	return oldest
}

// Advance ends the requests whose deadline has passed.
func (r *Reader) Advance(now time.Time, take func(*Record)) {
	r.endMatching(func(t *trace) bool { return !now.Before(r.deadline(t)) }, take)
}

// Flush ends all requests.
func (r *Reader) Flush(take func(*Record)) {
	r.endMatching(func(*trace) bool { return true }, take)
}

func (r *Reader) deadline(t *trace) time.Time {
	if t.status == 0 && t.method != "" {
		return t.lastArrival.Add(r.options.ResponseTimeout)
	}
	return t.lastArrival.Add(r.options.TraceTimeout)
}

// Next returns the earliest deadline, zero without open requests.
func (r *Reader) Next() (next time.Time) {
	for _, h := range r.bridges {
		for _, t := range h.traces {
			if at := r.deadline(t); next.IsZero() || at.Before(next) {
				next = at
			}
		}
	}
	return next
}

func (r *Reader) endMatching(match func(*trace) bool, take func(*Record)) {
	type open struct {
		h *bridge
		t *trace
	}
	var ending []open
	for _, h := range r.bridges {
		for _, t := range h.traces {
			if match(t) {
				ending = append(ending, open{h, t})
			}
		}
	}
	slices.SortFunc(ending, func(a, b open) int { return compareSequence(a.t.sequence, b.t.sequence) })
	for _, o := range ending {
		r.end(o.h, o.t, "", take)
	}
}

func (r *Reader) endBridge(h *bridge, take func(*Record)) {
	r.endMatchingOf(h, func(*trace) bool { return true }, take)
}

// end removes a trace and passes its record to take.
func (r *Reader) end(h *bridge, t *trace, cause string, take func(*Record)) {
	delete(h.traces, t.number)
	r.openCount--
	r.charge(h, -t.bytes-traceOverhead)
	record := r.newRecord(t.header, h.key.source, t.observed)
	writeRequest(record, h, t, cause)
	take(record)
}

// cloneHeader returns a copy that does not keep the line in memory.
func cloneHeader(h Header) Header {
	for _, text := range [...]*string{&h.Host, &h.Container, &h.Tag, &h.PID, &h.Level} {
		*text = strings.Clone(*text)
	}
	return h
}
