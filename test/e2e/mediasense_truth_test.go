// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// posted is a Collector with a MediaSense receiver that keeps its state.
const posted = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  mediasense:
    endpoint: %MS%
    storage: file_storage
    metrics: { interval: 100ms }
    deduplication: { storage_window: 2s }
    %SUBSCRIPTION%
exporters:
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  prometheus: { endpoint: %PAGE%, metric_expiration: 10m }
service:
  telemetry: { metrics: { level: none } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [mediasense], exporters: [file] }
    metrics: { receivers: [mediasense], exporters: [prometheus] }
`

// subscribing makes the receiver subscribe at two servers.
const subscribing = `
    subscription:
      callback: http://%MS%/mediasense
      verify_interval: 1s
      servers:
        - { endpoint: "http://%1%", username: api, password: x, tls: { insecure: true } }
        - { endpoint: "http://%2%", username: api, password: x, tls: { insecure: true } }
`

// newRecording starts a Collector that is posted to; with servers it subscribes
// there.
func newRecording(t *testing.T, servers ...string) (*collector, string) {
	t.Helper()
	address, subscription := loopback.MustAddress(t), ""
	if len(servers) == 2 {
		subscription = strings.NewReplacer("%1%", servers[0], "%2%", servers[1]).Replace(strings.TrimSpace(subscribing))
	}
	text := strings.Replace(posted, "%SUBSCRIPTION%", subscription, 1)
	return newCollectorFrom(t, strings.ReplaceAll(text, "%MS%", address)), "http://" + address + "/mediasense"
}

// oddities are the faults that lose nothing.
const oddities = "ms-duplicate=0.1,ms-pair=0.1,ms-urls=0.1,ms-boolean=0.3,ms-quoted=0.1"

// TestRecordings: the records and the metrics page are the truth, each event
// once, though two servers tell of it; the receiver has subscribed at both, and
// takes its leave.
func TestRecordings(t *testing.T) {
	t.Parallel()
	one, two := loopback.MustAddress(t), loopback.MustAddress(t)
	// A pace at which no threshold is crossed twice within the storage window.
	r := record(t, "-mediasense-api", one+","+two, "-await-mediasense", "-seed", "3", "-meetings", "15", "-speed", "300", "-faults", oddities)
	c, _ := newRecording(t, one, two)
	r.over()
	page := c.settledMetrics(r)
	c.stop()
	r.signal(syscall.SIGTERM)
	is := r.end()
	require.Empty(t, is.Missed)
	c.recordings().compare(t, is, 0)
	is.compareMetrics(t, page)
	for _, s := range is.Servers {
		assert.Empty(t, s.Misuse, "what the client did wrong")
		assert.Equal(t, map[string]int{"subscribeToEvents": 1}, s.Subscribed)
		assert.Equal(t, s.SignIns, s.SignOuts)
		assert.Positive(t, s.Verified)
	}
}

// settledMetrics returns the page when it does not change any more.
func (c *collector) settledMetrics(r *recorder) (page string) {
	c.t.Helper()
	same := 0
	require.Eventually(c.t, func() bool {
		now := c.metrics()
		if now != page || now == "" {
			same, page = 0, now
		}
		same++
		return same > 25 // some intervals of the receiver
	}, waitFor, tick, "callsim:\n%s", &r.log)
	return page
}

// compareMetrics holds the metrics page against the truth.
func (is *recordingsTruth) compareMetrics(t *testing.T, page string) {
	t.Helper()
	sum := func(metric string, labels ...string) map[string]float64 {
		return series(page, "cisco_mediasense_"+metric, labels...)
	}
	assert.Equal(t, floats(map[string]int{"": is.Distinct["SESSION_EVENT STARTED"]}), sum("session_started_total"))
	assert.Equal(t, floats(is.EndedByState), sum("session_ended_total", "state"))
	assert.Equal(t, floats(map[string]int{"": is.Distinct["SESSION_EVENT ENDED"]}), sum("session_duration_seconds_count"))
	assert.Equal(t, floats(map[string]int{"": is.Deleted}), sum("session_deleted_total"))
	assert.Equal(t, floats(map[string]int{"": is.Pruned}), sum("session_pruned_total"))
	tags := sum("tag_total", "tag_type", "action")
	for kind, n := range is.AddedByTagType {
		assert.InDelta(t, n, tags[kind+" added"], 0, kind)
	}
	thresholds, states := map[string]int{}, map[string]int{}
	for _, d := range is.Disks {
		for action, n := range d.Thresholds {
			thresholds[strings.ToLower(strings.TrimSuffix(action, "_STORAGE_SPACE"))] += n
		}
		if len(d.Thresholds) == 0 {
			continue
		}
		disk := fmt.Sprint(d.NodeID, " ", d.NodeAddress, " ", d.Partition)
		for _, state := range []string{"normal", "low", "critical", "emergency"} {
			states[disk+" "+state] = 0
		}
		states[disk+" "+strings.ToLower(d.State)] = 1
		assert.InDelta(t, float64(*d.LastPercent)/100, sum("storage_utilization_ratio", "node_id", "node_address", "partition")[disk], 1e-9, disk)
	}
	assert.Equal(t, floats(thresholds), sum("storage_threshold_total", "action"))
	assert.Equal(t, floats(states), sum("storage_state", "node_id", "node_address", "partition", "state"))
}

func floats(counts map[string]int) map[string]float64 {
	all := map[string]float64{}
	for key, n := range counts {
		all[key] = float64(n)
	}
	return all
}

// TestRecordingsMalformed: what can be read of damaged bodies and odd ones comes
// out once, and the rest is in quarantine once.
func TestRecordingsMalformed(t *testing.T) {
	t.Parallel()
	c, url := newRecording(t)
	is := record(t, "-mediasense-target", url, "-seed", "4", "-meetings", "15", "-mediasense-disk", "1e6",
		"-faults", oddities+",ms-malformed=0.1,ms-reorder=0.1,ms-lost=0.1,ms-seconds=0.1").end()
	c.stop()
	out := c.recordings()
	out.compare(t, is, 0)
	assert.Equal(t, is.MalformedDistinct, out.events[mediasense+"record.malformed"])
	assert.Positive(t, is.MalformedDistinct)
	require.NotEmpty(t, is.Missed)
}

// TestRecordingsRestart takes the MediaSense servers down, which forget who
// subscribed, and up again: the receiver subscribes again, and what is
// acknowledged comes out once.
func TestRecordingsRestart(t *testing.T) {
	t.Parallel()
	one, two := loopback.MustAddress(t), loopback.MustAddress(t)
	r := record(t, "-mediasense-api", one+","+two, "-await-mediasense", "-seed", "5", "-live", "-meetings", "40", "-speed", "20", "-mediasense-disk", "1e6")
	c, _ := newRecording(t, one, two)
	for n := range 2 {
		before := c.size()
		require.Eventually(t, func() bool { return c.size() > before }, waitFor, tick, "callsim:\n%s", &r.log)
		// Each time: of two signals that are pending at once one is lost.
		r.signal(syscall.SIGUSR1)
		r.saysAgain("the MediaSense servers are down", n+1)
		r.signal(syscall.SIGUSR1)
		r.saysAgain("the MediaSense servers are up", n+1)
	}
	r.over()
	c.stop()
	r.signal(syscall.SIGTERM)
	is := r.end()
	c.recordings().compare(t, is, 0)
	for _, s := range is.Servers {
		assert.Empty(t, s.Misuse, "what the client did wrong")
		assert.GreaterOrEqual(t, s.Subscribed["subscribeToEvents"], 2)
		assert.Positive(t, s.SignOuts)
	}
	assert.NotEmpty(t, is.Missed, "events without a subscriber")
	assert.Greater(t, is.Distinct["SESSION_EVENT ENDED"], len(is.Sessions)/3)
}

// TestRecordingsAPIFaults: sessions expire before they are used again,
// subscriptions vanish without a word, and the Collector dies in between; the
// receiver is subscribed again each time, and asks for nothing it has.
func TestRecordingsAPIFaults(t *testing.T) {
	t.Parallel()
	one, two := loopback.MustAddress(t), loopback.MustAddress(t)
	r := record(t, "-mediasense-api", one+","+two, "-await-mediasense", "-seed", "11", "-live", "-meetings", "30", "-speed", "20",
		"-mediasense-disk", "1e6", "-faults", "ms-expire=500ms,ms-forget=3s")
	c, _ := newRecording(t, one, two)
	grow := func() {
		before := c.size()
		require.Eventually(t, func() bool { return c.size() > before+10_000 }, waitFor, tick, "callsim:\n%s", &r.log)
	}
	grow()
	c.kill()
	c.start()
	grow()
	r.over()
	c.stop()
	r.signal(syscall.SIGTERM)
	is := r.end()
	c.recordings().compare(t, is, 2)
	subscribed, forgotten := 0, 0
	for _, s := range is.Servers {
		assert.Empty(t, s.Misuse, "what the client did wrong")
		assert.Greater(t, s.SignIns, 2)
		subscribed, forgotten = subscribed+s.Subscribed["subscribeToEvents"], forgotten+s.Faults["forget"]
	}
	assert.Positive(t, forgotten)
	assert.GreaterOrEqual(t, subscribed, forgotten)
	assert.Greater(t, is.Distinct["SESSION_EVENT ENDED"], len(is.Sessions)/3)
}

// TestRecordingsOldServers: where subscribeToEvents is not known the old call
// does, once.
func TestRecordingsOldServers(t *testing.T) {
	t.Parallel()
	one, two := loopback.MustAddress(t), loopback.MustAddress(t)
	r := record(t, "-mediasense-api", one+","+two, "-await-mediasense", "-seed", "10", "-live", "-meetings", "10", "-speed", "20", "-mediasense-disk", "1e6", "-faults", "ms-old")
	c, _ := newRecording(t, one, two)
	r.over()
	c.stop()
	r.signal(syscall.SIGTERM)
	is := r.end()
	require.Empty(t, is.Missed)
	c.recordings().compare(t, is, 0)
	for _, s := range is.Servers {
		assert.Empty(t, s.Misuse, "what the client did wrong")
		assert.Equal(t, map[string]int{"subscribeRecordingEvent": 1}, s.Subscribed)
		assert.Positive(t, s.Verified)
	}
}

// TestRecordingsKill kills the Collector at random moments. MediaSense posts at
// most once, so what comes meanwhile is lost; what was acknowledged must be in
// the output, once. What was in flight at a kill may be there, and its copy by
// way of the other server too.
func TestRecordingsKill(t *testing.T) {
	t.Parallel()
	const kills, servers = 5, 2
	c, url := newRecording(t)
	r := record(t, "-mediasense-target", url, "-seed", "6", "-live", "-meetings", "400", "-speed", "200", "-mediasense-disk", "1e6", "-faults", "ms-duplicate=0.2")
	random := rand.New(rand.NewPCG(6, 6))
	for range kills {
		size := c.size()
		grow := 100_000 + random.Int64N(400_000)
		require.Eventually(t, func() bool { return c.size() > size+grow }, waitFor, tick/10)
		c.kill()
		c.start()
	}
	is := r.end()
	c.stop()
	c.recordings().compare(t, is, kills*servers)
	assert.NotEmpty(t, is.Missed)
	assert.Greater(t, is.Distinct["SESSION_EVENT ENDED"], len(is.Sessions)/3)
}

// TestStorageStateSurvivesAKill: the state of the disks is there after a kill,
// before any event.
func TestStorageStateSurvivesAKill(t *testing.T) {
	t.Parallel()
	c, url := newRecording(t)
	r := record(t, "-mediasense-target", url, "-seed", "9", "-meetings", "15", "-speed", "300")
	is := r.end()
	page := c.settledMetrics(r)
	is.compareMetrics(t, page)
	c.kill()
	c.start()
	states := func(page string) map[string]float64 {
		return series(page, "cisco_mediasense_storage_state", "node_id", "node_address", "partition", "state")
	}
	want := states(page)
	require.NotEmpty(t, want)
	require.Eventually(t, func() bool { return assert.ObjectsAreEqual(want, states(c.metrics())) }, waitFor, tick)
}
