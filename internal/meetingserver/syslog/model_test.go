// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// exchange is a request and its response as a bridge would know them: what the lines
// of its trace must be put together to.
type exchange struct {
	host       string
	number     uint64
	method     string
	path       string
	parameters []Pair
	status     int
	location   string
	elements   []Pair // of the response's object
}

const testDate = "Mar  5 14:08:23"

// lines are the lines that a bridge logs of an exchange.
func (e *exchange) lines() (all []string) {
	add := func(text string) {
		all = append(all, fmt.Sprintf("%s user.info %s host:server:  INFO : API trace %d:%s", testDate, e.host, e.number, text))
	}
	add(fmt.Sprintf(` %s for "%s" (from 192.0.2.1)`, e.method, e.path))
	if len(e.parameters) > 0 {
		add(` content data size 99, type "application/x-www-form-urlencoded":`)
	}
	for i, p := range e.parameters {
		text := p.Name + "=" + p.Value
		if i+1 < len(e.parameters) {
			text += "&"
		}
		for first := true; text != ""; first = false {
			n := min(chunkLength, len(text))
			blanks := "      "
			if first {
				blanks = "  "
			}
			add(blanks + text[:n])
			text = text[n:]
		}
	}
	body := e.body()
	size := 0
	for _, line := range body {
		size += len(line)
	}
	add(fmt.Sprintf(" sending %d response, size %d", e.status, size))
	if e.location != "" {
		add(" Location: " + e.location)
	}
	for _, line := range body {
		add("  " + line)
	}
	return all
}

func (e *exchange) body() (all []string) {
	if len(e.elements) == 0 {
		return nil
	}
	all = append(all, "<call>")
	for _, p := range e.elements {
		all = append(all, "  <"+p.Name+">"+p.Value+"</"+p.Name+">")
	}
	return append(all, "</call>")
}

// alphabet lacks the letters with which names of secrets begin.
const alphabet = "bdefghijk lmno&qru=vwxyz0123456789-"

// newExchange makes one up.
func newExchange(r *rand.Rand, host string, number uint64) *exchange {
	e := &exchange{host: host, number: number, method: []string{"GET", "PUT", "DELETE", "POST"}[r.IntN(4)], path: fmt.Sprintf("/api/v1/calls/%d", number), status: 200}
	value := func() string {
		var b strings.Builder
		for range r.IntN(120) {
			b.WriteByte(alphabet[r.IntN(len(alphabet))])
		}
		return strings.TrimSpace(b.String())
	}
	if e.method == "PUT" || e.method == "POST" {
		for i := range 1 + r.IntN(5) {
			e.parameters = append(e.parameters, Pair{fmt.Sprintf("name%d", i), value()})
		}
		// A decoded & at the end of a value cannot be distinguished from the one behind it.
		for i := range e.parameters {
			e.parameters[i].Value = strings.TrimRight(e.parameters[i].Value, "& ")
		}
	}
	switch {
	case e.method == "POST":
		e.location = fmt.Sprintf("/api/v1/callLegs/%d", number)
	case r.IntN(3) > 0:
		for _, name := range []string{"name", "state", "reason"}[:1+r.IntN(3)] {
			e.elements = append(e.elements, Pair{name, "v" + strings.ReplaceAll(value(), "&", "+")})
		}
	}
	return e
}

// interleave merges lists of lines without changing the order of any.
func interleave(r *rand.Rand, lists [][]string) (all []string) {
	for len(lists) > 0 {
		i := r.IntN(len(lists))
		all = append(all, lists[i][0])
		if lists[i] = lists[i][1:]; len(lists[i]) == 0 {
			lists = slices.Delete(lists, i, i+1)
		}
	}
	return all
}

func field(r *Record, key string) *Field {
	for i := range r.Fields {
		if r.Fields[i].Key == key {
			return &r.Fields[i]
		}
	}
	return &Field{}
}

// check compares a record with the exchange that it stands for.
func (e *exchange) check(t *testing.T, r *Record) {
	t.Helper()
	require.Equal(t, KindRequest, r.Kind)
	require.Empty(t, r.Request.Incomplete, "%q", r.Fields)
	require.Equal(t, e.host, r.Header.Host)
	require.Equal(t, e.method, r.Request.Method)
	require.Equal(t, e.path, field(r, names.URLPath).Text)
	require.Equal(t, e.status, r.Request.Status)
	require.Equal(t, e.location, field(r, names.APILocation).Text)
	require.Equal(t, e.parameters, field(r, names.APIParameters).Map)
	require.Equal(t, e.elements, field(r, names.APIResponse).Map)
	require.EqualValues(t, len(e.lines()), field(r, names.APILines).Int)
}

// Whatever the order in which the lines of several requests come, each request is put
// together as if it came alone, and no line is lost.
func interleaving(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	exchanges := make(map[string]*exchange)
	var lists [][]string
	lines := 0
	for host := range 1 + random.IntN(3) {
		for number := range uint64(1 + random.IntN(5)) {
			e := newExchange(random, fmt.Sprintf("cms%d", host), 9000+number)
			exchanges[fmt.Sprint(e.host, e.number)] = e
			lists = append(lists, e.lines())
			lines += len(e.lines())
		}
	}
	reader, got := newTestReader(), 0
	take := func(r *Record) {
		id := fmt.Sprint(r.Header.Host, field(r, names.APITrace).Int)
		e := exchanges[id]
		require.NotNil(t, e, "request %s came twice", id)
		delete(exchanges, id)
		e.check(t, r)
		got += int(field(r, names.APILines).Int)
	}
	for _, line := range interleave(random, lists) {
		reader.Read(noon, "source", line, take)
	}
	reader.Advance(noon.Add(DefaultTraceTimeout), take)
	require.Empty(t, exchanges)
	require.Equal(t, lines, got)
	require.Zero(t, reader.Open())
	require.Zero(t, reader.Bytes())
}

func TestInterleaving(t *testing.T) {
	seeds := uint64(2000)
	if testing.Short() {
		seeds = 300
	}
	for seed := range seeds {
		interleaving(t, seed)
	}
}

func FuzzInterleaving(f *testing.F) {
	f.Add(uint64(0))
	f.Fuzz(interleaving)
}

// FuzzReader the lines, none is lost: each is a record of its own or counted in a
// request's, and the Reader holds no more than its limits.
func FuzzReader(f *testing.F) {
	for i, file := range []string{"cms-api/syslog-api-trace.log", "cms-api/malformed-doc-wrapped.log", "field/syslog/ids-and-levels.log"} {
		for few := range slices.Chunk(slices.Collect(strings.Lines(fixture(f, file))), 8) { // short ones mutate fast
			f.Add(strings.Join(few, ""), uint8(3*i))
		}
	}
	f.Fuzz(func(t *testing.T, text string, small uint8) {
		options := Options{TraceTimeout: time.Second, ResponseTimeout: 2 * time.Second, Limits: DefaultLimits}
		if small > 0 {
			options.Limits = Limits{RequestBytes: 64 * int(small), RequestLines: int(small), HostRequests: 1 + int(small)%4, Hosts: 1 + int(small)%3, Bytes: 4096}
		}
		r, lines, got := NewReader(options), 0, 0
		take := func(record *Record) {
			require.Less(t, record.Kind, KindCount)
			require.Less(t, record.Severity, SeverityCount)
			seen := make(map[string]bool)
			for _, f := range record.Fields {
				require.False(t, seen[f.Key], f.Key)
				seen[f.Key] = true
			}
			if record.Kind != KindRequest {
				got++
				return
			}
			got += int(field(record, names.APILines).Int)
		}
		now := noon
		for line := range strings.Lines(text) {
			if skipBlanks(strings.TrimRight(line, "\r\n\x00")) != "" {
				lines++
			}
			r.Read(now, "source", line, take)
			require.LessOrEqual(t, r.Bytes(), max(options.Limits.Bytes, traceOverhead))
			require.Equal(t, heldBytes(r), r.Bytes())
			now = now.Add(300 * time.Millisecond)
			r.Advance(now, take)
			require.False(t, r.Open() > 0 && r.Next().Before(now))
		}
		r.Flush(take)
		require.Equal(t, lines, got)
		require.Zero(t, r.Open())
		require.Zero(t, r.Bytes())
	})
}

// heldBytes counts anew what a Reader says that it holds.
func heldBytes(r *Reader) (n int) {
	for _, h := range r.bridges {
		for _, t := range h.traces {
			n += traceOverhead + len(t.path) + len(t.client) + len(t.contentType) + len(t.location) + t.xml.Len()
			for _, p := range t.form.parameters {
				n += len(p) + parameterOverhead
			}
		}
	}
	return n
}
