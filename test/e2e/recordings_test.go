// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recordingsTruth is what callsim says about its MediaSense servers; the part of
// it that these tests read.
type recordingsTruth struct {
	Sessions          []recordedSession
	Happened          map[string]int
	Distinct          map[string]int
	EndedByState      map[string]int `json:"ended_by_state"`
	AddedByTagType    map[string]int `json:"added_by_tag_type"`
	Deleted, Pruned   int
	MalformedDistinct int `json:"malformed_distinct"`
	Disks             []struct {
		NodeID      int    `json:"node_id"`
		NodeAddress string `json:"node_address"`
		Partition   string
		State       string
		LastPercent *int `json:"last_percent"`
		Thresholds  map[string]int
	}
	Missed []struct {
		Event    string
		Sessions []string
		InDoubt  bool `json:"in_doubt"`
	}
	Servers []struct {
		Server         string
		SignIns        int `json:"sign_ins"`
		SignOuts       int `json:"sign_outs"`
		Subscribed     map[string]int
		Verified       int
		Faults, Misuse map[string]int
	}
}

type recordedSession struct {
	ID, CCID, State, Former string
	StartUnixNano           int64   `json:"start_unix_nano"`
	EndUnixNano             int64   `json:"end_unix_nano"`
	PausedSeconds           float64 `json:"paused_seconds"`
	Tracks                  []recordedTrack
	Missed                  []string
}

type recordedTrack struct {
	Number        int
	Media, Codec  string
	StartUnixNano int64   `json:"start_unix_nano"`
	EndUnixNano   int64   `json:"end_unix_nano"`
	SilentSeconds float64 `json:"silent_seconds"`
	Participants  []struct {
		DeviceRef     string `json:"device_ref"`
		XRefCi        string `json:"x_ref_ci"`
		DeviceID      string `json:"device_id"`
		Conference    bool
		StartUnixNano int64 `json:"start_unix_nano"`
		EndUnixNano   int64 `json:"end_unix_nano"`
	}
}

// recorder is a running callsim with MediaSense servers.
type recorder struct {
	t       *testing.T
	process *exec.Cmd
	truth   string
	log     lockedBuffer
}

// record starts callsim without Call Bridges' records.
func record(t *testing.T, arguments ...string) *recorder {
	t.Helper()
	r := &recorder{t: t, truth: filepath.Join(t.TempDir(), "truth.json")}
	r.process = exec.Command(binary("callsim"), append([]string{"-target", "none", "-truth", r.truth}, arguments...)...)
	r.process.Stderr = &r.log
	require.NoError(t, r.process.Start())
	t.Cleanup(func() {
		if r.process.ProcessState == nil {
			_ = r.process.Process.Kill()
			_ = r.process.Wait()
		}
	})
	return r
}

// says waits for words of callsim.
func (r *recorder) says(words string) { r.saysAgain(words, 1) }

// saysAgain waits until callsim has logged the words n times.
func (r *recorder) saysAgain(words string, n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return strings.Count(r.log.String(), words) >= n }, 2*waitFor, tick, "callsim:\n%s", &r.log)
}

// over waits for the end of the story; the API is still there.
func (r *recorder) over() { r.says("all recordings have ended") }

// signal sends a signal to callsim.
func (r *recorder) signal(s syscall.Signal) {
	r.t.Helper()
	require.NoError(r.t, r.process.Process.Signal(s))
}

// end returns the truth, of a callsim that was stopped or ends by itself.
func (r *recorder) end() *recordingsTruth {
	r.t.Helper()
	require.NoError(r.t, r.process.Wait(), "callsim:\n%s", &r.log)
	content, err := os.ReadFile(r.truth)
	require.NoError(r.t, err)
	var is struct{ MediaSense *recordingsTruth }
	require.NoError(r.t, json.Unmarshal(content, &is))
	require.NotNil(r.t, is.MediaSense)
	require.NotEmpty(r.t, is.MediaSense.Sessions)
	return is.MediaSense
}

// recorded counts what came out of a receiver of MediaSense's events.
type recorded struct {
	events  map[string]int            // records by event name
	objects map[string]int            // records by event name and what they are about
	gone    map[string]map[string]int // sessions by event name
}

const mediasense = "cisco.mediasense."

// eventName is the event of a type and an action on the wire.
func eventName(kind string) string {
	object, action, _ := strings.Cut(kind, " ")
	name := map[string]string{"SESSION_EVENT": "session.", "TAG_EVENT": "tag.", "STORAGE_THRESHOLD_EVENT": "storage_threshold."}[object]
	return mediasense + name + strings.ToLower(strings.TrimSuffix(action, "_STORAGE_SPACE"))
}

// recordings reads all records about recordings.
func (c *collector) recordings() *recorded {
	c.t.Helper()
	r := &recorded{map[string]int{}, map[string]int{}, map[string]map[string]int{}}
	for _, w := range c.output() {
		if !strings.HasPrefix(w.event, mediasense) {
			continue
		}
		r.events[w.event]++
		switch {
		case w.event == mediasense+"session.deleted" || w.event == mediasense+"session.pruned":
			if r.gone[w.event] == nil {
				r.gone[w.event] = map[string]int{}
			}
			for _, id := range w.lists[mediasense+"session.session_ids"] {
				r.gone[w.event][id]++
			}
		case strings.HasPrefix(w.event, mediasense+"tag."):
			r.objects[strings.Join([]string{
				w.event, w.attributes[mediasense+"session.id"], w.attributes[mediasense+"tag.track_number"], w.attributes[mediasense+"tag.tag_name"],
				w.attributes[mediasense+"tag.tag_offset"], w.attributes[mediasense+"tag.tag_create_date"],
			}, " ")]++
		case w.event == mediasense+"session.started" || w.event == mediasense+"session.ended":
			r.objects[w.event+" "+w.attributes[mediasense+"session.id"]]++
		}
	}
	return r
}

// compare holds the records against the truth. Events in doubt may be there or
// not, and so may what can be read of a damaged body; again is how many objects
// may be there twice.
func (r *recorded) compare(t *testing.T, is *recordingsTruth, again int) {
	t.Helper()
	doubt, missed := map[string]int{}, map[string]bool{}
	for _, m := range is.Missed {
		if m.InDoubt {
			doubt[m.Event]++
		}
		for _, id := range m.Sessions {
			missed[eventName(m.Event)+" "+id] = true
		}
	}
	for kind := range is.Happened {
		name := eventName(kind)
		if strings.HasSuffix(name, "deleted") && strings.Contains(name, ".session.") || strings.HasSuffix(name, "pruned") {
			continue // by session, below
		}
		assert.GreaterOrEqual(t, r.events[name], is.Distinct[kind], "%s acknowledged and lost", kind)
		assert.LessOrEqual(t, r.events[name], is.Distinct[kind]+doubt[kind]+again+is.MalformedDistinct, "%s more often than it happened", kind)
	}
	twice := 0
	for what, n := range r.objects {
		if n > 1 {
			twice += n - 1
			assert.LessOrEqual(t, twice, again, "%s %d times", what, n)
		}
	}
	for _, s := range is.Sessions {
		for _, event := range []string{"session.started", "session.ended"} {
			key := mediasense + event + " " + s.ID
			if !missed[key] {
				assert.Positive(t, r.objects[key], "%s acknowledged and lost", key)
			}
		}
	}
	for event, want := range map[string]int{"session.deleted": is.Deleted, "session.pruned": is.Pruned} {
		gone, sum := r.gone[mediasense+event], 0
		for id, n := range gone {
			sum += n
			assert.LessOrEqual(t, n, 1+again, "%s %s", event, id)
		}
		assert.GreaterOrEqual(t, len(gone), want, "%s acknowledged and lost", event)
		if len(doubt) == 0 && again == 0 && is.MalformedDistinct == 0 {
			assert.Equal(t, want, sum, event)
		}
	}
}

var labelled = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{([^}]*)\})? ([0-9.e+-]+)`)

// series sums a metric of the page by the values of some of its labels.
func series(page, metric string, labels ...string) map[string]float64 {
	all := map[string]float64{}
	for _, m := range labelled.FindAllStringSubmatch(page, -1) {
		if m[1] != metric {
			continue
		}
		v, _ := strconv.ParseFloat(m[3], 64)
		var key []string
		for _, label := range labels {
			_, rest, _ := strings.Cut(","+m[2], ","+label+`="`)
			text, _, _ := strings.Cut(rest, `"`)
			key = append(key, text)
		}
		all[strings.Join(key, " ")] += v
	}
	return all
}
