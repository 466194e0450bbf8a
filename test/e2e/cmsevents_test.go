// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// eventful is a Collector that follows the Events servers of three bridges.
const eventful = `
extensions:
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR% }
  cmsevents:
    servers:
      - { endpoint: "http://%1%", username: api, password: x, tls: { insecure: true } }
      - { endpoint: "http://%2%", username: api, password: x, tls: { insecure: true } }
      - { endpoint: "http://%3%", username: api, password: x, tls: { insecure: true } }
    max_connections: 3%EVENTS%
    metrics: { interval: 100ms }
processors:
  callstitch: {}
exporters:
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  callrecord: { driver: sqlite, datasource: %DIR%/calls.db }
  prometheus: { endpoint: %PAGE%, metric_expiration: 10m }
service:
  telemetry: { metrics: { level: none } }
  extensions: [health_check]
  pipelines:
    logs: { receivers: [cmscdr, cmsevents], processors: [callstitch], exporters: [file, callrecord] }
    metrics: { receivers: [cmsevents], exporters: [prometheus] }
`

type crowd struct {
	State, Direction string
	Count            int
}

type eventsTruth struct {
	Events struct {
		Meetings       int
		Participants   []crowd
		Added, Removed int
		Bridges        []struct {
			Account struct {
				Tokens, Sockets, Messages int
				Refused                   int `json:"refused_sockets"`
				Faults, Misuse            map[string]int
			}
		}
	}
}

// meetings are a story of some meetings, most of them crowds, that ends in the
// middle.
var meetings = []string{"-seed", "3", "-meetings", "20", "-crowd", "15x20", "-play-for", "40m"}

// follow plays a story to a Collector until the gauges are the truth at its end,
// which it returns. events is added to the receiver's configuration.
func follow(t *testing.T, events string, story []string, arguments ...string) (*collector, eventsTruth) {
	t.Helper()
	c, servers := newFollower(t, events)
	// The end of the story is known before it is played.
	is := c.rehearse(story...)
	s := c.play(servers, append(slices.Clone(story), arguments...)...)
	s.says("the scenario has ended", 1)
	c.shows(is)
	s.signal(syscall.SIGINT)
	played := s.end()
	require.Equal(t, is.gauges(), played.gauges(), "the rehearsal was another story")
	return c, played
}

// rehearse returns the truth of a story that is played to nobody.
func (c *collector) rehearse(story ...string) eventsTruth {
	c.t.Helper()
	return c.simulate(append([]string{"-target", "none", "-events", "localhost:0", "-linger-events", "1ms"}, story...)...).end()
}

// settled is how long the gauges must be the truth to be so in the end: on the
// way there they can be, for a moment, by what is missing and what is too much.
const settled = time.Second

// shows waits until the gauges are the truth, and stay so.
func (c *collector) shows(is eventsTruth) {
	c.t.Helper()
	right := time.Time{}
	for deadline := time.Now().Add(waitFor); time.Now().Before(deadline); time.Sleep(tick) {
		switch now := time.Now(); {
		case !maps.Equal(is.gauges(), c.gauges()):
			right = time.Time{}
		case right.IsZero():
			right = now
		case now.Sub(right) >= settled:
			return
		}
	}
	require.Equal(c.t, is.gauges(), c.gauges())
	require.Fail(c.t, "the gauges are right, and do not stay so")
}

// newFollower starts a Collector that follows three Events servers that are not
// there yet, and returns where it looks for them.
func newFollower(t *testing.T, events string) (c *collector, servers string) {
	t.Helper()
	one, two, three := loopback.MustAddress(t), loopback.MustAddress(t), loopback.MustAddress(t)
	c = newCollectorFrom(t, strings.NewReplacer("%1%", one, "%2%", two, "%3%", three, "%EVENTS%", events).Replace(eventful))
	return c, one + "," + two + "," + three
}

// play starts a callsim with Events servers, which stay after the end of the
// story until it is stopped.
func (c *collector) play(servers string, arguments ...string) *simulation {
	c.t.Helper()
	return c.simulate(append([]string{"-events", servers}, arguments...)...)
}

// end waits for the end of a simulation with Events servers.
func (s *simulation) end() (is eventsTruth) {
	s.t.Helper()
	require.NoError(s.t, s.process.Wait(), "callsim:\n%s", &s.log)
	content, err := os.ReadFile(s.truth)
	require.NoError(s.t, err)
	require.NoError(s.t, json.Unmarshal(content, &is))
	require.NotEmpty(s.t, is.Events.Participants, "nobody is there at the end, so there is nothing to compare")
	for _, b := range is.Events.Bridges {
		assert.Empty(s.t, b.Account.Misuse, "what the client did wrong")
	}
	return is
}

var gauge = regexp.MustCompile(`(?m)^(cisco_meeting_server_(?:call|participant)_active)\{([^}]*)\} ([0-9]+)$`)

// gauges sums the gauges over all servers; participants by state and direction.
func (c *collector) gauges() map[string]int {
	all := map[string]int{}
	for _, m := range gauge.FindAllStringSubmatch(c.metrics(), -1) {
		n, _ := strconv.Atoi(m[3])
		key := []string{m[1]}
		for _, label := range []string{"state", "direction"} {
			if _, rest, found := strings.Cut(m[2], label+`="`); found {
				value, _, _ := strings.Cut(rest, `"`)
				key = append(key, value)
			}
		}
		if n > 0 {
			all[strings.Join(key, " ")] += n
		}
	}
	return all
}

func (is eventsTruth) gauges() map[string]int {
	all := map[string]int{"cisco_meeting_server_call_active": is.Events.Meetings}
	for _, p := range is.Events.Participants {
		all["cisco_meeting_server_participant_active "+p.State+" "+p.Direction] = p.Count
	}
	return all
}

// comings counts the participants that came and left by the event records, and
// finds records that do not follow from those before: no participant is added who
// is there, and none removed who is not.
func (c *collector) comings() (added, removed, stamped int) {
	all := c.output()
	// The records of several servers come through several queues.
	slices.SortStableFunc(all, func(a, b written) int { return cmp.Compare(a.time, b.time) })
	there := map[string]bool{}
	for _, w := range all {
		const call, participant = "cisco.meeting_server.event.call.", "cisco.meeting_server.event.participant."
		var id string
		switch w.event {
		case call + "add", call + "remove":
			id = "call " + w.attributes["cisco.meeting_server.call.id"]
		case participant + "add", participant + "remove":
			id = "participant " + w.attributes["cisco.meeting_server.participant.id"]
		default:
			continue
		}
		coming := strings.HasSuffix(w.event, ".add")
		assert.NotEqual(c.t, coming, there[id], "%s: %s", id, w.body)
		there[id] = coming
		switch w.event {
		case participant + "add":
			added++
			assert.NotEmpty(c.t, w.attributes["cisco.meeting_server.call.id"])
			if w.trace != "" {
				stamped++
			}
		case participant + "remove":
			removed++
		}
	}
	return added, removed, stamped
}

// TestEvents: records and gauges agree with the meetings, in the end and on the way.
// Time is fast: some come and leave before their meeting is subscribed to.
func TestEvents(t *testing.T) {
	t.Parallel()
	c, is := follow(t, "", meetings, "-await-events")
	live := is.readLive(c)
	c.stop()
	added, removed, stamped := c.comings()
	is.compareComings(t, added, removed)
	assert.Greater(t, added, is.Events.Added*8/10)
	assert.Positive(t, stamped, "participants whose call leg is known have its trace")
	c.oneIdentity()
	live.compare(c)
	t.Logf("%d came, %d of them stamped, %d left", added, stamped, removed)
}

// oneIdentity finds events of a bridge that is not named as in its call detail
// records.
func (c *collector) oneIdentity() {
	c.t.Helper()
	posted, followed := map[string]bool{}, map[string]bool{}
	for _, w := range c.output() {
		if strings.HasPrefix(w.event, "cisco.meeting_server.event.") {
			followed[w.bridge] = true
		} else if w.session != "" {
			posted[w.bridge] = true
		}
	}
	assert.NotEmpty(c.t, followed)
	assert.Subset(c.t, slices.Collect(maps.Keys(posted)), slices.Collect(maps.Keys(followed)))
}

// TestEventsUnderFaults: sockets are cut, servers restart, subscriptions end and
// tokens are worn out all the time. In the end all of it is right, and nobody
// left who had not come.
func TestEventsUnderFaults(t *testing.T) {
	t.Parallel()
	c, is := follow(t, "\n    snapshot_grace: 500ms", meetings, "-speed", "150", "-faults",
		"events-drop=5s,events-deactivate=2s,events-restart=11s,events-odd=0.05,token-uses=5")
	c.stop()
	added, removed, _ := c.comings()
	is.compareComings(t, added, removed)
	t.Logf("%d came, %d left", added, removed)
}

func (is eventsTruth) compareComings(t *testing.T, added, removed int) {
	t.Helper()
	there := 0
	for _, p := range is.Events.Participants {
		there += p.Count
	}
	assert.Equal(t, there, added-removed, "who came and did not leave is there")
	assert.LessOrEqual(t, added, is.Events.Added, "nobody comes twice because a socket did")
}
