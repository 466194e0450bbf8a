// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// estate is edges, stitchers with a backend each, and one archive.
type estate struct {
	t         *testing.T
	edges     []*process
	stitchers []*process
	sinks     []*sink // of the stitchers
	archive   string
	seed      int
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	return &estate{t: t, archive: postgres.Shared(t).Database(t)}
}

// linger of the stitchers: as shipped in the long form.
func linger() string {
	return "processors: { callstitch: { linger: " + either("10s", "2m") + " } }\n"
}

// addStitcher makes a stitcher, which start starts.
func (e *estate) addStitcher(config, overrides string, environment map[string]string) *process {
	e.t.Helper()
	s := newSink(e.t)
	environment["LEGATO_DATABASE"] = e.archive
	environment["OTLP_ENDPOINT"] = s.address
	environment["OTLP_INSECURE"] = "true"
	p := newProcess(e.t, fmt.Sprintf("stitcher-%d", len(e.stitchers)), config, linger()+overrides, environment)
	e.stitchers, e.sinks = append(e.stitchers, p), append(e.sinks, s)
	return p
}

// addEdge makes and starts an edge. Its metrics go nowhere.
func (e *estate) addEdge(config, overrides string, environment map[string]string) *process {
	e.t.Helper()
	environment["LEGATO_LISTEN"] = loopback.MustAddress(e.t)
	environment["LEGATO_MEDIASENSE_LISTEN"] = loopback.MustAddress(e.t)
	environment["OTLP_ENDPOINT"] = newSink(e.t).address
	environment["OTLP_INSECURE"] = "true"
	p := newProcess(e.t, fmt.Sprintf("edge-%d", len(e.edges)), config, overrides, environment)
	p.start()
	e.edges = append(e.edges, p)
	return p
}

// play starts the bridges of some clusters, each of them at an edge of its own while
// there are enough.
func (e *estate) play(clusters []string, meetings int) (playing []*simulation) {
	e.t.Helper()
	for i, name := range clusters {
		e.seed++
		target := "http://" + e.edges[i%len(e.edges)].environment["LEGATO_LISTEN"] + "/cdr?cluster=" + name
		playing = append(playing, simulate(e.t, target, e.seed, meetings))
	}
	return playing
}

// untilReceived waits until the backends have some more records.
func (e *estate) untilReceived(more int) {
	e.t.Helper()
	before := e.received()
	require.Eventually(e.t, func() bool { return e.received()-before >= more }, waitFor, tick/5)
}

func (e *estate) received() (n int) {
	for _, s := range e.sinks {
		n += s.received()
	}
	return n
}

// during does something while each of the simulations posts.
func during(t *testing.T, playing []*simulation, what string, do func()) {
	t.Helper()
	for i, s := range playing {
		require.True(t, s.posting(), "simulation %d has ended before %s: it needs more meetings", i, what)
	}
	do()
}

// compare waits for all that the simulations tell, compares it with spans, records and
// rows, and logs the figures.
func (e *estate) compare(what string, playing []*simulation) {
	e.t.Helper()
	var truths []*truth
	var acknowledged time.Time
	for _, s := range playing {
		truths = append(truths, s.wait())
		if s.ended.After(acknowledged) {
			acknowledged = s.ended
		}
	}
	require.Eventually(e.t, func() bool {
		spans, _ := all(e.sinks)
		return !slices.ContainsFunc(truths, func(is *truth) bool { return !is.allSpans(spans) })
	}, waitFor, 10*tick, "%s: spans that have not come", what)
	took := time.Since(acknowledged)
	var sum counted
	for _, is := range truths {
		is.untilArchived(e.t, e.archive)
		c := is.compareRecords(e.t, e.sinks)
		spans, _ := all(e.sinks)
		sum.objects += is.compareSpans(e.t, spans)
		sum.records += c.records
		sum.repeated += c.repeated
	}
	e.t.Logf("%s: %d records, none lost, %d repeated (%.2f %%); %d objects, each with one span and one row; the last span %.1f s after the last 200",
		what, sum.records, sum.repeated, 100*float64(sum.repeated)/float64(sum.records), sum.objects, took.Seconds())
}

// cost stops everything and logs the CPU time of a tier for each record, starts of
// processes included.
func (e *estate) cost(what string) {
	e.t.Helper()
	_, records := all(e.sinks)
	per := func(tier []*process) time.Duration {
		var sum time.Duration
		for _, p := range tier {
			p.stop()
			sum += p.cpu
		}
		return sum / time.Duration(len(records))
	}
	edges := per(e.edges)
	e.t.Logf("%s: CPU of a record: edges %s, stitchers %s", what, edges, per(e.stitchers))
}

// together holds that all records of a cluster came by one stitcher, and that each
// stitcher had some.
func (e *estate) together(clusters []string) {
	e.t.Helper()
	by := map[string][]string{}
	for i, s := range e.sinks {
		of := s.of()
		assert.NotEmpty(e.t, of, "stitcher-%d had nothing to do", i)
		for name := range of {
			by[name] = append(by[name], e.stitchers[i].name)
		}
	}
	assert.Len(e.t, by, len(clusters))
	for name, stitchers := range by {
		assert.Len(e.t, stitchers, 1, "stitchers of %s", name)
	}
}

// clustersFor returns three names of clusters, of which each of n places gets one at
// least by place.
func clustersFor(t *testing.T, n int, place func(name string) int) (names []string) {
	t.Helper()
	taken := map[int]bool{}
	for i := 0; len(names) < 3; i++ {
		require.Less(t, i, 1000, "no names that are divided over %d places", n)
		name := fmt.Sprintf("cluster-%d", i)
		at := place(name)
		if left := 3 - len(names); len(taken) < n && taken[at] && left <= n-len(taken) {
			continue
		}
		taken[at] = true
		names = append(names, name)
	}
	return names
}

// ringOf says which of the stitchers the load-balancing exporter gives a cluster to: a
// consistent hash of 200 points for each host name. A test that finds a stitcher without
// work finds that this is no longer what the exporter does.
func ringOf(hostnames []string) func(name string) int {
	type point struct{ at, host int }
	var ring []point
	for host, name := range hostnames {
		for i := range 200 {
			sum := crc32.ChecksumIEEE(append([]byte(name), byte(i), 0, 0, 0))
			ring = append(ring, point{int(sum % 131071), host})
		}
	}
	slices.SortFunc(ring, func(a, b point) int { return a.at - b.at })
	return func(name string) int {
		at := int(crc32.ChecksumIEEE([]byte("cisco.meeting_server.cluster="+name+"|")) % 131071)
		i, _ := slices.BinarySearchFunc(ring, at, func(p point, at int) int { return p.at - at })
		return ring[i%len(ring)].host
	}
}

// list is a YAML list in an environment variable.
func list(items []string) string { return "[" + strings.Join(items, ", ") + "]" }
