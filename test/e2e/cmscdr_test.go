// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

const (
	gapEvent       = "cisco.meeting_server.record.gap"
	malformedEvent = "cisco.meeting_server.record.malformed"
	sessionEvent   = "cisco.meeting_server.session.start"
)

const allFaults = "lost-ack=0.1,shift,overflow=4,malformed=0.05,garbage=3,restart=2,skew=90s,reorder,scan=20"

// TestEverythingOnce: under all faults, what comes out is what a perfect
// observer must have seen: every acknowledged record once, damaged ones in
// quarantine, every gap once with its exact size, every restart once.
func TestEverythingOnce(t *testing.T) {
	for _, seed := range []string{"1", "2", "3"} {
		t.Run("seed "+seed, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			is := c.simulate("-seed", seed, "-meetings", "60", "-unclustered", "-faults", allFaults, "-max-batch", "20").wait()
			out := sortOut(t, c.output())
			compare(t, &is, out, 1)
			c.compareMetrics(&is)
		})
	}
}

// seen counts what came out, by the identity of the wire record.
type seen struct {
	good, damaged map[identity]int
	gaps          map[identity][]uint64
	garbage       map[string]int
	restarts      map[string]int
	at            map[identity][]int64 // offsets in the file
}

func sortOut(t *testing.T, all []written) *seen {
	t.Helper()
	s := &seen{
		map[identity]int{},
		map[identity]int{},
		map[identity][]uint64{},
		map[string]int{},
		map[string]int{},
		map[identity][]int64{},
	}
	for i := range all {
		w := &all[i]
		id, known := w.identity()
		switch {
		case w.event == sessionEvent:
			s.restarts[w.session]++
		case w.event == malformedEvent && !known:
			s.garbage[w.body]++
		case w.event == malformedEvent:
			s.damaged[id]++
		case w.event == gapEvent:
			missing, err := strconv.ParseUint(w.attributes["cisco.meeting_server.record.missing"], 10, 64)
			require.NoError(t, err)
			s.gaps[id] = append(s.gaps[id], missing)
		default:
			require.True(t, known, "%s without identity", w.event)
			s.good[id]++
			s.at[id] = append(s.at[id], w.offset)
		}
	}
	return s
}

// compare holds what came out against the truth. most is how often a record
// may come out; 1 means exactly once.
func compare(t *testing.T, is *truth, out *seen, most int) {
	t.Helper()
	good, damaged, gaps := is.records()
	require.NotEmpty(t, good)
	sameOnce(t, "record", good, out.good, most)
	sameOnce(t, "damaged record", damaged, out.damaged, most)

	var missing uint64
	for id, counts := range out.gaps {
		assert.LessOrEqual(t, len(counts), most, "gap before %v reported again", id)
		assert.Equal(t, gaps[id], counts[0], "size of the gap before %v", id)
		missing += counts[0]
	}
	assert.Len(t, out.gaps, len(gaps))
	assert.Equal(t, is.Missing, missing)

	for _, g := range is.Garbage {
		assert.Positive(t, out.garbage[string(g.Bytes)], "garbage %q is not in quarantine", g.Bytes)
	}
	restarts := map[string]int{}
	for _, b := range is.Bridges {
		for _, s := range b.Sessions[1:] {
			restarts[s.Session] = 1
		}
	}
	for session, n := range out.restarts {
		assert.LessOrEqual(t, n, most, "restart into %s reported again", session)
		out.restarts[session] = 1
	}
	assert.Equal(t, restarts, out.restarts)
}

func sameOnce(t *testing.T, what string, want map[identity]bool, got map[identity]int, most int) {
	t.Helper()
	var lost, extra, twice int
	for id := range want {
		if got[id] == 0 {
			lost++
		}
	}
	for id, n := range got {
		if !want[id] {
			extra++
		}
		if n > most {
			twice++
		}
	}
	assert.Zero(t, lost, "%ss acknowledged and lost, of %d", what, len(want))
	assert.Zero(t, extra, "%ss that were never acknowledged", what)
	assert.Zero(t, twice, "%ss that came out more than %d times", what, most)
}

// compareMetrics holds the metrics page against the truth.
func (c *collector) compareMetrics(is *truth) {
	c.t.Helper()
	want := map[string]uint64{
		"cisco_meeting_server_call_started_total":              is.Counts["callStart"],
		"cisco_meeting_server_call_ended_total":                is.Counts["callEnd"],
		"cisco_meeting_server_call_duration_seconds_count":     is.Counts["callEnd"],
		"cisco_meeting_server_call_leg_started_total":          is.Counts["callLegStart"],
		"cisco_meeting_server_call_leg_ended_total":            is.Counts["callLegEnd"],
		"cisco_meeting_server_call_leg_duration_seconds_count": is.Counts["callLegEnd"],
		"cisco_meeting_server_recording_started_total":         is.Counts["recordingStart"],
		"cisco_meeting_server_streaming_ended_total":           is.Counts["streamingEnd"],
		"cisco_meeting_server_record_missing_total":            is.Missing,
	}
	var got map[string]uint64
	ok := assert.Eventually(c.t, func() bool {
		got = sums(c.metrics(), want)
		return maps.Equal(want, got)
	}, waitFor, tick)
	if !ok {
		assert.Equal(c.t, want, got)
	}
}

var sample = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{[^}]*\})? ([0-9.e+]+)`)

// sums adds up the series of each metric in want.
func sums(page string, want map[string]uint64) map[string]uint64 {
	got := make(map[string]uint64, len(want))
	for name := range want {
		got[name] = 0
	}
	for _, m := range sample.FindAllStringSubmatch(page, -1) {
		if _, ok := got[m[1]]; ok {
			v, _ := strconv.ParseFloat(m[2], 64)
			got[m[1]] += uint64(v)
		}
	}
	return got
}

// TestKill kills the Collector at random moments while bridges post. Every
// acknowledged record must be in the output. One may be there twice only if
// its post was in flight at a kill: accepted by the exporter, not yet marked in the
// ledger, so not acknowledged. That window is what the README does not promise.
func TestKill(t *testing.T) {
	const kills, bridges, batch = 5, 3, 10
	c := newCollector(t)
	run := c.simulate("-seed", "4", "-bridges", strconv.Itoa(bridges), "-meetings", "1500", "-max-batch", strconv.Itoa(batch),
		"-buffer", "1000000", "-faults", "lost-ack=0.05,shift,overflow=2,malformed=0.02,restart=1")
	random := rand.New(rand.NewPCG(4, 4))
	var cuts []int64
	for range kills {
		size := c.size()
		grow := 200_000 + random.Int64N(1_500_000)
		require.Eventually(t, func() bool { return c.size() > size+grow }, waitFor, tick/10)
		c.kill()
		cuts = append(cuts, c.size())
		c.start()
	}
	is := run.wait()
	out := sortOut(t, c.output())
	compare(t, &is, out, 1+kills)

	again := 0
	for id, offsets := range out.at {
		for i := 1; i < len(offsets); i++ {
			again++
			assert.True(t, straddles(cuts, offsets[i-1], offsets[i]), "%v came out twice without a kill between", id)
		}
	}
	t.Logf("%d records, %d of them twice after %d kills", len(out.good), again, kills)
	assert.LessOrEqual(t, again, kills*bridges*batch)
}

func (c *collector) size() int64 {
	info, err := os.Stat(filepath.Join(c.directory, "records.jsonl"))
	if err != nil {
		return 0
	}
	return info.Size()
}

func straddles(cuts []int64, before, after int64) bool {
	for _, cut := range cuts {
		if before < cut && cut <= after {
			return true
		}
	}
	return false
}

// TestKillBetweenPosts: what was acknowledged before a kill is a duplicate
// after it, without exception.
func TestKillBetweenPosts(t *testing.T) {
	c := newCollector(t)
	for _, post := range []string{"1", "2", "3", "4", "5", "6"} {
		body, err := os.ReadFile(filepath.Join(root, "testdata", "cms-cdr", "flow", "post-"+post+".xml"))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, c.post(string(body)))
		c.kill()
		c.start()
		require.Equal(t, http.StatusOK, c.post(string(body)), "sent again after the kill")
	}
	all := c.output()
	assert.Len(t, all, 8)
	for i := range all {
		id, _ := all[i].identity()
		assert.EqualValues(t, i, id.index)
	}
}

// TestDemo is what a newcomer does: post to the demo, look at the file and at
// the metrics page, post again.
func TestDemo(t *testing.T) {
	c := &collector{t: t, directory: t.TempDir(), address: loopback.MustAddress(t)}
	page, health, archive := loopback.MustAddress(t), loopback.MustAddress(t), loopback.MustAddress(t)
	c.page, c.health = "http://"+page+"/metrics", "http://"+health
	c.arguments = []string{"--config", filepath.Join(root, "config", "demo.yaml")}
	for _, set := range []string{
		"receivers.cmscdr.endpoint=" + c.address, "receivers.cmscdr.metrics.interval=100ms", "exporters.prometheus.endpoint=" + page,
		"receivers.mediasense.endpoint=" + loopback.MustAddress(t), "exporters.callrecord.http.endpoint=" + archive,
		"extensions.health_check.endpoint=" + health, "service.telemetry.metrics.level=none",
	} {
		c.arguments = append(c.arguments, "--set", set)
	}
	require.NoError(t, os.Mkdir(filepath.Join(c.directory, "data"), 0o755))
	c.start()
	t.Cleanup(c.stop)

	body, err := os.ReadFile(filepath.Join(root, "testdata", "cms-cdr", "flow", "post-5.xml"))
	require.NoError(t, err)
	const counted = `cisco_meeting_server_call_leg_duration_seconds_count\{[^}]*reason="remoteTeardown"[^}]*\} 1\n`
	for range 2 {
		require.Equal(t, http.StatusOK, c.post(string(body)))
		require.Eventually(t, func() bool { return regexp.MustCompile(counted).MatchString(c.metrics()) }, waitFor, tick)
	}
	response, err := http.Get("http://" + archive + "/legs")
	require.NoError(t, err)
	shown, err := io.ReadAll(response.Body)
	response.Body.Close()
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(shown), ">Hung up<"), "%s", shown)

	// The README's link to the meeting of the six posts.
	for n := 1; n <= 6; n++ {
		body, err := os.ReadFile(filepath.Join(root, "testdata", "cms-cdr", "flow", fmt.Sprintf("post-%d.xml", n)))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, c.post(string(body)))
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	link := regexp.MustCompile(`<http://localhost:8088(/find\?id=[^>]+)>`).FindStringSubmatch(string(readme))
	require.NotNil(t, link)
	meeting, err := http.Get("http://" + archive + link[1])
	require.NoError(t, err)
	found, err := io.ReadAll(meeting.Body)
	meeting.Body.Close()
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, meeting.StatusCode)
	assert.Contains(t, string(found), "Weekly sync")
	c.stop()
	written, err := os.ReadFile(filepath.Join(c.directory, "data", "records.jsonl"))
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(written), `"eventName":"cisco.meeting_server.call_leg.end"`), "the meeting had two legs: %s", written)
}
