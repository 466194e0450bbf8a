// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// postedTo is a Collector that MediaSense posts to.
const postedTo = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  mediasense:
    endpoint: %CDR%
    storage: file_storage
    per_track: true
    query_parameters: { server: service.instance.id }
    metrics: { interval: 100ms }
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

func (c *collector) postEvent(body string) (status int) {
	response, err := http.Post("http://"+c.address+"/mediasense?server=ms1", "application/json", strings.NewReader(body))
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// mediaSenseFixtures are the names of all fixtures, without what they end with.
func mediaSenseFixtures(t *testing.T) (files []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "testdata", "mediasense", "*-*.*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// recordsOf reads OTLP JSON, one object after the other, into log records
// without the time at which they came.
func recordsOf(t *testing.T, content []byte) (all []any) {
	t.Helper()
	for decoder := json.NewDecoder(strings.NewReader(string(content))); decoder.More(); {
		var one struct {
			ResourceLogs []struct {
				ScopeLogs []struct{ LogRecords []map[string]any }
			}
		}
		require.NoError(t, decoder.Decode(&one))
		for _, rl := range one.ResourceLogs {
			for _, sl := range rl.ScopeLogs {
				for _, lr := range sl.LogRecords {
					if lr["timeUnixNano"] == lr["observedTimeUnixNano"] {
						delete(lr, "timeUnixNano")
					}
					delete(lr, "observedTimeUnixNano")
					all = append(all, lr)
				}
			}
		}
	}
	return all
}

// TestMediaSenseGolden posts all fixtures: what comes out of the binary are the
// golden records of the receiver, once, whatever is posted again and however
// often the process is killed.
func TestMediaSenseGolden(t *testing.T) {
	c := newCollectorFrom(t, postedTo)
	var want []any
	for i, file := range mediaSenseFixtures(t) {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		for range 2 {
			require.Equal(t, http.StatusOK, c.postEvent(string(body)), file)
			if i%5 == 0 {
				c.kill()
				c.start()
			}
		}
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)) + ".json"
		golden, err := os.ReadFile(filepath.Join(root, "receiver", "mediasensereceiver", "testdata", "golden", name))
		require.NoError(t, err)
		want = append(want, recordsOf(t, golden)...)
	}
	written, err := os.ReadFile(filepath.Join(c.directory, "records.jsonl"))
	require.NoError(t, err)
	assert.Equal(t, want, recordsOf(t, written))
}

// TestMediaSenseDisk fills a disk and empties it: the state is right at each
// step, and after a kill.
func TestMediaSenseDisk(t *testing.T) {
	c := newCollectorFrom(t, postedTo)
	f := func(fixture, state string) {
		t.Helper()
		body, err := os.ReadFile(filepath.Join(root, "testdata", "mediasense", "storage-"+fixture+".json"))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, c.postEvent(string(body)))
		if fixture == "enter-emergency" {
			c.kill()
			c.start()
		}
		require.Eventually(t, func() bool {
			page, right := c.metrics(), 0
			for line := range strings.Lines(page) {
				if !strings.HasPrefix(line, "cisco_mediasense_storage_state{") {
					continue
				}
				is := strings.HasSuffix(strings.TrimSpace(line), " 1")
				if is == strings.Contains(line, `state="`+state+`"`) && strings.Contains(line, `node_address="192.0.2.60"`) {
					right++
				}
			}
			return right == 4
		}, waitFor, tick, "%s: %s", fixture, c.metrics())
	}
	f("enter-low", "low")
	f("enter-critical", "critical")
	f("enter-emergency", "emergency")
	f("exit-emergency", "critical")
	f("exit-critical", "low")
	f("exit-low", "normal")
}

// TestMediaSenseKill kills the process under load. What was answered 200 is
// there; only what was being taken at a kill may be there twice.
func TestMediaSenseKill(t *testing.T) {
	const workers, each, kills = 4, 60, 3
	c := newCollectorFrom(t, postedTo)
	var answered atomic.Int64
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"eventType":"SESSION_EVENT","eventAction":"ENDED","eventBody":{"sessionId":"s-%d-%d"}}`, worker, i)
				for c.postEvent(body) != http.StatusOK {
				}
				answered.Add(1)
			}
		})
	}
	for kill := range kills {
		after := int64((kill + 1) * workers * each / (kills + 1))
		require.Eventually(t, func() bool { return answered.Load() >= after }, waitFor, tick/10)
		c.kill()
		c.start()
	}
	wg.Wait()
	times := make(map[string]int)
	for _, w := range c.output() {
		if w.event == "cisco.mediasense.session.ended" {
			times[w.attributes["cisco.mediasense.session.id"]]++
		}
	}
	assert.Len(t, times, workers*each, "answered, and not there")
	twice := 0
	for session, n := range times {
		assert.LessOrEqual(t, n, 1+kills, session)
		if n > 1 {
			twice++
		}
	}
	assert.LessOrEqual(t, twice, workers*kills, "only what was being taken at a kill")
}
