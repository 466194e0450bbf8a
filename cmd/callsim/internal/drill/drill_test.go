// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver takes what drills post, as the real ones answer.
type receiver struct {
	server *httptest.Server
	bodies map[string][]string // by path
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{bodies: map[string][]string{}}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		assert.NoError(t, err)
		r.bodies[request.URL.Path] = append(r.bodies[request.URL.Path], string(body))
		if request.URL.Path != "/cdr" && request.URL.Path != "/mediasense" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) settings(t *testing.T) Settings {
	t.Helper()
	target, err := url.Parse(r.server.URL + "/cdr")
	require.NoError(t, err)
	recorder, err := url.Parse(r.server.URL + "/mediasense")
	require.NoError(t, err)
	return Settings{
		Target: target, MediaSense: recorder, OCMS: filepath.Join(t.TempDir(), "event.log"),
		Events: "bridge:8451", Backend: "127.0.0.1:0", Directory: t.TempDir(), Hold: time.Millisecond, Recover: time.Millisecond,
		FollowWithin: time.Minute, Simulate: simulateNothing, Client: r.server.Client(), Now: func() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) },
	}
}

// simulateNothing is a Call Bridge that is followed at once.
func simulateNothing(ctx context.Context, followed func(), _ ...string) error {
	if followed != nil {
		followed()
	}
	<-ctx.Done()
	return nil
}

func play(t *testing.T, name string) (*receiver, Settings) {
	t.Helper()
	r := newReceiver(t)
	s := r.settings(t)
	d, found := Find(name)
	require.True(t, found, name)
	require.NoError(t, d.Run(t.Context(), s), name)
	return r, s
}

// document is what a Call Bridge posts, as far as these tests are about it.
type document struct {
	Session    string `xml:"session,attr"`
	CallBridge string `xml:"callBridge,attr"`
	Records    []struct {
		Type  string `xml:"type,attr"`
		Index int    `xml:"correlatorIndex,attr"`
		Leg   struct {
			Reason    string `xml:"reason"`
			Activated string `xml:"activatedDuration"`
			Alarm     struct {
				Type       string `xml:"type,attr"`
				Percentage string `xml:"durationPercentage,attr"`
			} `xml:"alarm"`
		} `xml:"callLeg"`
	} `xml:"record"`
}

func documents(t *testing.T, r *receiver) (all []document) {
	t.Helper()
	for _, body := range r.bodies["/cdr"] {
		var d document
		require.NoError(t, xml.Unmarshal([]byte(body), &d), body)
		assert.Regexp(t, "^d4111000-0000-4000-8000-[0-9a-f]{12}$", d.CallBridge)
		all = append(all, d)
		assert.Equal(t, all[0].CallBridge, d.CallBridge, "one bridge in a drill")
	}
	return all
}

// Every drill sends something, all of it well-formed, and records of a session are
// numbered without a hole, unless the drill is about one.
func TestAll(t *testing.T) {
	for _, d := range All {
		if d.needs == needsBridge || d.needs == needsDisk {
			continue // they post nothing of their own, or fill a disk
		}
		t.Run(d.Name, func(t *testing.T) {
			r, s := play(t, d.Name)
			sent := len(r.bodies["/cdr"]) + len(r.bodies["/mediasense"]) + len(r.bodies["/cdr-drill"]) + len(r.bodies["/mediasense-drill"])
			if _, err := os.Stat(s.OCMS); err == nil {
				sent++
			}
			assert.Positive(t, sent)
			for _, body := range r.bodies["/mediasense"] {
				assert.True(t, json.Valid([]byte(body)), body)
			}
			if d.Name == "garbage" {
				return
			}
			next := map[string]int{}
			for _, document := range documents(t, r) {
				for _, record := range document.Records {
					if d.Name != "gap" {
						assert.Equal(t, next[document.Session], record.Index)
					}
					next[document.Session] = record.Index + 1
				}
			}
		})
	}
}

func TestGap(t *testing.T) {
	r, _ := play(t, "gap")
	all := documents(t, r)
	require.Len(t, all, 2)
	assert.Equal(t, 38, all[1].Records[0].Index-all[0].Records[0].Index-1)
	assert.Equal(t, all[0].Session, all[1].Session)
}

// A second drill is no restart of the first one's bridge.
func TestBridges(t *testing.T) {
	first, _ := play(t, "limit")
	second, _ := play(t, "limit")
	assert.NotEqual(t, documents(t, first)[0].CallBridge, documents(t, second)[0].CallBridge)
}

func TestRestart(t *testing.T) {
	r, _ := play(t, "bridge-restart")
	all := documents(t, r)
	require.Len(t, all, 2)
	assert.NotEqual(t, all[0].Session, all[1].Session)
}

// Half of the legs are bad, and none of the others.
func TestPacketLoss(t *testing.T) {
	r, _ := play(t, "packet-loss")
	good, bad := 0, 0
	for _, document := range documents(t, r) {
		for _, record := range document.Records {
			switch {
			case record.Type != "callLegEnd":
			case record.Leg.Alarm.Type == "packetLoss":
				assert.Equal(t, "40.0", record.Leg.Alarm.Percentage)
				bad++
			default:
				good++
			}
		}
	}
	assert.Equal(t, 100, good)
	assert.Equal(t, 100, bad)
}

// A disk passes every threshold below its level, and leaves them in the other order.
func TestStorage(t *testing.T) {
	r, _ := play(t, "storage-critical")
	var actions []string
	for _, body := range r.bodies["/mediasense"] {
		var event struct{ EventAction string }
		require.NoError(t, json.Unmarshal([]byte(body), &event))
		actions = append(actions, strings.TrimSuffix(event.EventAction, "_STORAGE_SPACE"))
	}
	assert.Equal(t, []string{"ENTER_LOW", "ENTER_CRITICAL", "EXIT_CRITICAL", "EXIT_LOW"}, actions)
}

// A drill without its target, and one that is answered otherwise than it needs, says so.
func TestErrors(t *testing.T) {
	r := newReceiver(t)
	for _, test := range []struct {
		name, want string
		change     func(*Settings)
	}{
		{"gap", "this drill needs -target", func(s *Settings) { s.Target = nil }},
		{"storage-low", "this drill needs -mediasense-target", func(s *Settings) { s.MediaSense = nil }},
		{"sip-5xx", "this drill needs -ocms", func(s *Settings) { s.OCMS = "" }},
		{"silent", "this drill needs -events", func(s *Settings) { s.Events = "" }},
		{"silent", "this drill needs -target", func(s *Settings) { s.Target = nil }},
		{"backend-down", "this drill needs -backend", func(s *Settings) { s.Backend = "" }},
		{"backend-down", "-backend: listen tcp", func(s *Settings) { s.Backend = strings.TrimPrefix(r.server.URL, "http://") }},
		{"disk-full", "this drill needs -directory", func(s *Settings) { s.Directory = "" }},
		{"disk-full", "-directory: open", func(s *Settings) { s.Directory += "/other" }},
		{"disk-full", "-directory: 1048576 bytes do not fill its disk", func(s *Settings) { s.MaxFill = 1 << 20 }},
		{"gap", "answered 404 Not Found, this drill needs 200", func(s *Settings) { s.Target.Path = "/other" }},
	} {
		s := r.settings(t)
		test.change(&s)
		d, _ := Find(test.name)
		assert.ErrorContains(t, d.Run(t.Context(), s), test.want)
	}
}
