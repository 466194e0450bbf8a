// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// says waits until callsim has written a line so many times.
func (s *simulation) says(line string, times int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return strings.Count(s.log.String(), line) >= times }, waitFor, tick, "%q in:\n%s", line, &s.log)
}

// reports counts what the Collector's log says of something.
func (c *collector) reports(what string) int { return strings.Count(c.log.String(), what) }

func (s *simulation) signal(what syscall.Signal) {
	s.t.Helper()
	require.NoError(s.t, s.process.Process.Signal(what))
}

// TestEventsDrill stops and starts the Events servers while people come and go:
// no participant is added who was there, and soon after the return the gauges are
// right again.
func TestEventsDrill(t *testing.T) {
	t.Parallel()
	c, servers := newFollower(t, "")
	is := c.rehearse(meetings...)
	// Twenty seconds of real time.
	s := c.play(servers, append(slices.Clone(meetings), "-target", "none", "-await-events", "-speed", "120")...)
	require.Eventually(t, func() bool {
		return c.gauges()["cisco_meeting_server_participant_active connected incoming"] > 50
	}, waitFor, tick, "nobody comes")

	lost, back := c.reports("No events from the Call Bridge"), c.reports("Following the events of the Call Bridge")
	s.signal(syscall.SIGUSR1)
	s.says("the Events servers are down", 1)
	require.Eventually(t, func() bool { return c.reports("No events from the Call Bridge") >= lost+3 }, waitFor, tick, "the outage")
	assert.NotEmpty(t, c.gauges(), "what was known is still shown")
	s.signal(syscall.SIGUSR1)
	s.says("the Events servers are up", 1)

	require.Eventually(t, func() bool { return c.reports("Following the events of the Call Bridge") >= back+3 }, waitFor, tick, "the return")
	s.signal(syscall.SIGUSR1)
	s.says("the Events servers are down", 2)
	s.says("the scenario has ended", 1)
	assert.NotEqual(t, is.gauges(), c.gauges(), "nothing happened during the outage, so the drill shows nothing")
	s.signal(syscall.SIGUSR1)
	s.says("the Events servers are up", 2)
	up := time.Now()
	// The promise is ten seconds. It is held in the time of a bubble, by
	// TestServerRestarts of the receiver: a machine may have other things to do.
	c.shows(is)
	t.Logf("the gauges are right %s after the return", time.Since(up).Round(time.Millisecond))
	s.signal(syscall.SIGINT)
	assert.Equal(t, is.gauges(), s.end().gauges(), "the rehearsal was the same story")
	assert.Equal(t, is.gauges(), c.gauges())
	c.stop()
	added, removed, _ := c.comings()
	is.compareComings(t, added, removed)
	assert.Zero(t, c.reports("authToken="))
}

// TestEventsSilence: sockets that say nothing any more, while the API answers,
// are found out by a request that nobody acknowledges.
func TestEventsSilence(t *testing.T) {
	t.Parallel()
	c, is := follow(t, "\n    probe_after: 1s", meetings, "-await-events", "-speed", "240", "-faults", "events-silent=2s,events-times=3")
	silenced := 0
	for _, b := range is.Events.Bridges {
		silenced += b.Account.Faults["silent"]
		assert.GreaterOrEqual(t, b.Account.Tokens, b.Account.Sockets, "a token for each connection")
	}
	assert.Positive(t, silenced)
	c.stop()
	added, removed, _ := c.comings()
	is.compareComings(t, added, removed)
}

// TestEventsBusy: a server that has one place left for this client. All calls are
// followed, and who is in those that there is room for.
func TestEventsBusy(t *testing.T) {
	t.Parallel()
	story := []string{"-seed", "3", "-meetings", "20", "-crowd", "240x2", "-play-for", "20m"}
	c, servers := newFollower(t, "")
	want := c.rehearse(story...).Events.Meetings
	s := c.play(servers, append(story, "-target", "none", "-await-events", "-faults", "events-busy=4")...)
	s.says("the scenario has ended", 1)
	require.Eventually(t, func() bool { return c.gauges()["cisco_meeting_server_call_active"] == want }, waitFor, tick)
	s.says("a socket too many", 1)
	s.signal(syscall.SIGINT)
	is := s.end()
	refused := 0
	for _, b := range is.Events.Bridges {
		refused += b.Account.Refused
		assert.Equal(t, 1, b.Account.Sockets)
	}
	assert.Positive(t, refused, "more sockets were wanted")
	assert.Positive(t, c.reports("The Call Bridge has more calls than its sockets can watch"))
	c.stop()
	added, _, _ := c.comings()
	assert.Positive(t, added)
}

// TestEventsStandstill: a Collector that stood still for so long that the servers,
// which were not acknowledged, say nothing more, begins anew by itself.
func TestEventsStandstill(t *testing.T) {
	t.Parallel()
	c, servers := newFollower(t, "")
	is := c.rehearse(meetings...)
	s := c.play(servers, append(slices.Clone(meetings), "-target", "none", "-await-events", "-speed", "200", "-events-ack", "1s")...)
	require.Eventually(t, func() bool {
		return c.gauges()["cisco_meeting_server_participant_active connected incoming"] > 50
	}, waitFor, tick, "nobody comes")
	require.NoError(t, c.process.Process.Signal(syscall.SIGSTOP))
	s.says("withheld_ack", 3)
	time.Sleep(9 * time.Second) // more than the receiver takes for a standstill
	require.NoError(t, c.process.Process.Signal(syscall.SIGCONT))
	s.says("the scenario has ended", 1)
	c.shows(is)
	assert.Positive(t, c.reports("this process stood still"))
	c.stop()
	added, removed, _ := c.comings()
	is.compareComings(t, added, removed)
}
