// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"slices"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/redact"
)

// Limits bound what a Reader holds.
type Limits struct {
	// RequestBytes and RequestLines are how much of one request is kept: the rest is
	// left out, and the record says so.
	RequestBytes, RequestLines int
	// HostRequests is how many requests of one bridge are open at a time, and Hosts
	// how many bridges are known: the least recently used go.
	HostRequests, Hosts int
	// Bytes of all open requests.
	Bytes int
}

// DefaultLimits have room for the largest pages of the API and a busy cluster.
var DefaultLimits = Limits{RequestBytes: 64 << 10, RequestLines: 4096, HostRequests: 256, Hosts: 256, Bytes: 16 << 20}

// Options of a Reader.
type Options struct {
	// Location is the zone of dates without one. Default UTC.
	Location *time.Location
	// TraceTimeout is how long after its last line a request with a response ends.
	TraceTimeout time.Duration
	// ResponseTimeout is how long a request waits for its response.
	ResponseTimeout time.Duration
	Limits          Limits
}

// Default time-outs of Options.
const (
	DefaultTraceTimeout    = 2 * time.Second
	DefaultResponseTimeout = time.Minute
)

// Reader makes records of the lines of all bridges. It owns the open API traces. It is
// not safe for concurrent use.
type Reader struct {
	options Options
	parser  parser
	hosts   map[hostKey]*host
	sources map[string]*source
	lines   uint64 // that were read
	open    int    // traces
	bytes   int    // of all traces
	record  Record
}

// source is what is remembered of where lines come from.
type source struct {
	used uint64
	// secret tells that the last line ends within a secret, of which a line without a
	// date may be the rest.
	secret bool
	last   string // the end of the last line, until secret is known
	known  bool   // secret is
}

// maxTail is how much of a line's end is kept to tell whether it ends in a secret.
const maxTail = 256

// NewReader returns a Reader that knows nothing.
func NewReader(options Options) *Reader {
	if options.Location == nil {
		options.Location = time.UTC
	}
	return &Reader{
		options: options, parser: parser{location: options.Location},
		hosts: make(map[hostKey]*host), sources: make(map[string]*source),
	}
}

// Open returns how many requests are open.
func (r *Reader) Open() int { return r.open }

// Bytes returns how many bytes of open requests are held.
func (r *Reader) Bytes() int { return r.bytes }

// Read reads a line, without its line break, that came at now from source, and passes
// the records that it completes to take. Lines of one source come in their order.
func (r *Reader) Read(now time.Time, from, line string, take func(*Record)) {
	r.lines++
	line = strings.TrimRight(line, "\r\n\x00")
	if skipBlanks(line) == "" {
		return
	}
	header, message := r.parser.parse(line, now)
	s := r.sourceOf(from)
	number, text, isTrace := cutTrace(message)
	if header.Form == FormUnknown && !isTrace {
		if at := strings.Index(message, "API trace "); at >= 0 {
			number, text, isTrace = cutTrace(message[at:])
		}
	}
	switch {
	case isTrace:
		s.follow(line)
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
		s.follow(line)
		h := r.hostOf(hostKey{from, header.Host}, take) // which may end requests of another
		record := r.newRecord(header, from, now)
		readMessage(record, h, message)
		record.Severity = max(record.Severity, kinds[record.Kind].least)
		take(record)
	}
}

func (r *Reader) newRecord(h Header, from string, now time.Time) *Record {
	r.record = Record{Header: h, Source: from, Observed: now, Severity: h.severity(), Fields: r.record.Fields[:0]}
	return &r.record
}

// follow remembers the end of a line with a date.
func (s *source) follow(line string) {
	s.known, s.secret = false, false
	s.last = ""
	if at := max(0, len(line)-maxTail); redact.MayHoldSecret(line[at:]) {
		s.last = line[at:]
	}
}

// continuesSecret tells whether a line without a date is the rest of a secret in the
// line before, and remembers the end of this one.
func (s *source) continuesSecret(line string) bool {
	if !s.known {
		s.secret, s.known = s.last != "" && endsInSecret(s.last), true
		s.last = ""
	}
	continues := s.secret
	s.secret = continues || endsInSecret(line[max(0, len(line)-maxTail):])
	return continues
}

func (r *Reader) sourceOf(from string) *source {
	s := r.sources[from]
	if s == nil {
		if len(r.sources) >= maxSources {
			oldest := from
			for name, candidate := range r.sources {
				if oldest == from || candidate.used < r.sources[oldest].used {
					oldest = name
				}
			}
			delete(r.sources, oldest)
		}
		s = new(source)
		r.sources[strings.Clone(from)] = s
	}
	s.used = r.lines
	return s
}

// maxSources is how many sources are known; the least recently used go.
const maxSources = 1024

// hostOf returns a bridge. If there are too many, the one that was silent for longest
// goes with its open requests.
func (r *Reader) hostOf(key hostKey, take func(*Record)) *host {
	h := r.hosts[key]
	if h == nil {
		if len(r.hosts) >= r.options.Limits.Hosts {
			var oldest *host
			for _, candidate := range r.hosts {
				if oldest == nil || candidate.used < oldest.used {
					oldest = candidate
				}
			}
			r.endAll(oldest, take)
			delete(r.hosts, oldest.key)
		}
		key = hostKey{strings.Clone(key.source), strings.Clone(key.host)}
		h = newHost(key)
		r.hosts[key] = h
	}
	h.used = r.lines
	return h
}

// readTrace adds a line to its trace, and ends those that it completes.
func (r *Reader) readTrace(header Header, from string, now time.Time, number uint64, text string, take func(*Record)) {
	h := r.hostOf(hostKey{from, header.Host}, take)
	if kind, _ := partOf(text); kind == partRequest {
		if known := h.traces[number]; known != nil && (known.method != "" || known.status != 0) {
			r.end(h, known, "", take) // the bridge counts from the beginning again
		}
	}
	t := h.traces[number]
	if t == nil {
		r.makeRoom(h, take)
		t = &trace{number: number, header: cloned(header), observed: now, requestSize: -1, age: r.lines}
		h.traces[number] = t
		r.open++
		r.charge(h, perTrace)
	}
	before := t.bytes
	t.last = now
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

// perTrace is what an open trace takes beside its texts, in bytes.
const perTrace = 512

func (r *Reader) charge(h *host, bytes int) {
	h.bytes += bytes
	r.bytes += bytes
}

// endOthers ends the traces of a bridge that only waited for a line of another one.
func (r *Reader) endOthers(h *host, number uint64, take func(*Record)) {
	for _, t := range h.traces {
		if t.number != number && t.complete(true) {
			r.endEach(h, func(t *trace) bool { return t.number != number && t.complete(true) }, take)
			return
		}
	}
}

// endEach ends the traces that match, in the order in which they began.
func (r *Reader) endEach(h *host, match func(*trace) bool, take func(*Record)) {
	var ending []*trace
	for _, t := range h.traces {
		if match(t) {
			ending = append(ending, t)
		}
	}
	slices.SortFunc(ending, func(a, b *trace) int { return compareAge(a.age, b.age) })
	for _, t := range ending {
		r.end(h, t, "", take)
	}
}

func compareAge(a, b uint64) int {
	if a < b {
		return -1
	}
	return 1
}

// makeRoom ends the oldest trace of a bridge that has as many as it may.
func (r *Reader) makeRoom(h *host, take func(*Record)) {
	if len(h.traces) >= r.options.Limits.HostRequests {
		r.end(h, h.oldest(), IncompleteEvicted, take)
	}
}

// evictLargest ends the oldest trace of the bridge that holds most: a bridge, or
// whoever writes in its name, takes no room of others.
func (r *Reader) evictLargest(take func(*Record)) {
	var largest *host
	for _, h := range r.hosts {
		if len(h.traces) > 0 && (largest == nil || h.bytes > largest.bytes) {
			largest = h
		}
	}
	r.end(largest, largest.oldest(), IncompleteEvicted, take)
}

func (h *host) oldest() (oldest *trace) {
	for _, t := range h.traces {
		if oldest == nil || t.age < oldest.age {
			oldest = t
		}
	}
	return oldest
}

// Advance ends the requests whose time is up.
func (r *Reader) Advance(now time.Time, take func(*Record)) {
	r.endAllHosts(func(t *trace) bool { return !now.Before(r.deadline(t)) }, take)
}

// Flush ends all requests.
func (r *Reader) Flush(take func(*Record)) {
	r.endAllHosts(func(*trace) bool { return true }, take)
}

func (r *Reader) deadline(t *trace) time.Time {
	if t.status == 0 && t.method != "" {
		return t.last.Add(r.options.ResponseTimeout)
	}
	return t.last.Add(r.options.TraceTimeout)
}

// Next returns when Advance has something to do next, zero for never.
func (r *Reader) Next() (next time.Time) {
	for _, h := range r.hosts {
		for _, t := range h.traces {
			if at := r.deadline(t); next.IsZero() || at.Before(next) {
				next = at
			}
		}
	}
	return next
}

func (r *Reader) endAllHosts(match func(*trace) bool, take func(*Record)) {
	type open struct {
		h *host
		t *trace
	}
	var ending []open
	for _, h := range r.hosts {
		for _, t := range h.traces {
			if match(t) {
				ending = append(ending, open{h, t})
			}
		}
	}
	slices.SortFunc(ending, func(a, b open) int { return compareAge(a.t.age, b.t.age) })
	for _, o := range ending {
		r.end(o.h, o.t, "", take)
	}
}

func (r *Reader) endAll(h *host, take func(*Record)) {
	r.endEach(h, func(*trace) bool { return true }, take)
}

// end passes a trace on as a record, and forgets it.
func (r *Reader) end(h *host, t *trace, why string, take func(*Record)) {
	delete(h.traces, t.number)
	r.open--
	r.charge(h, -t.bytes-perTrace)
	record := r.newRecord(t.header, h.key.source, t.observed)
	writeRequest(record, h, t, why)
	take(record)
}

// cloned returns a header that keeps no line alive.
func cloned(h Header) Header {
	for _, text := range [...]*string{&h.Host, &h.Container, &h.Tag, &h.PID, &h.Level} {
		*text = strings.Clone(*text)
	}
	return h
}
