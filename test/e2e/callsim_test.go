// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newReader(content []byte) io.Reader { return bytes.NewReader(content) }

// nextLine returns the offset behind the next start of an object on a line of
// its own or glued to a cut one; 0 if there is none.
func nextLine(content []byte) int64 {
	const start = `{"resourceLogs"`
	i := bytes.Index(content[1:], []byte(start))
	if i < 0 {
		return 0
	}
	return int64(i) + 1
}

// truth is what callsim says a perfect observer must conclude; the part of its
// file that these tests read.
type truth struct {
	Bridges []struct {
		CallBridge string `json:"call_bridge"`
		Sessions   []struct {
			Session      string
			Generated    uint64
			Acknowledged [][2]uint64
			Quarantined  []uint64
			InDoubt      [][2]uint64 `json:"in_doubt"`
			Unsent       [][2]uint64
			Gaps         []struct{ Index, Missing uint64 }
		}
	}
	Missing     uint64
	Interrupted bool
	Garbage     []struct{ Bytes []byte }
	Counts      map[string]uint64

	Calls                  []callTruth
	Legs                   []legTruth
	Recordings, Streamings []serviceTruth
	Conferences            []struct {
		FoundingCall string `json:"founding_call"`
		Calls        []string
	}
}

type lifeTruth struct {
	ID, Session string
	Start       time.Time
	End         *time.Time
	LastSeen    time.Time `json:"last_seen"`
	Outcome     string
	LostRecords bool `json:"lost_records"`
}

type callTruth struct {
	lifeTruth
	Name, Correlator string
}

type legTruth struct {
	lifeTruth
	ParticipantID     string `json:"participant_id"`
	Calls             []string
	LyncSubType       string `json:"lync_sub_type"`
	Direction         string
	SIPCallID         string  `json:"sip_call_id"`
	IVRSeconds        float64 `json:"ivr_seconds"`
	LobbySeconds      float64 `json:"lobby_seconds"`
	Reason, Kind      string
	Alarms            map[string]float64
	MovedFrom         string `json:"moved_from"`
	ReplacesSIPCallID string `json:"replaces_sip_call_id"`
	DisplayName       string `json:"display_name"`
}

type serviceTruth struct {
	lifeTruth
	Call, Leg string
}

// simulation is a running callsim.
type simulation struct {
	t       *testing.T
	process *exec.Cmd
	truth   string
	log     lockedBuffer
}

// simulate starts callsim against the Collector.
func (c *collector) simulate(arguments ...string) *simulation {
	c.t.Helper()
	s := &simulation{t: c.t, truth: filepath.Join(c.t.TempDir(), "truth.json")}
	arguments = append([]string{"-target", c.url(), "-truth", s.truth, "-retry", "50ms", "-give-up", "2m"}, arguments...)
	s.process = exec.Command(binary("callsim"), arguments...)
	s.process.Stderr = &s.log
	require.NoError(c.t, s.process.Start())
	c.t.Cleanup(func() {
		if s.process.ProcessState == nil {
			_ = s.process.Process.Kill()
			_ = s.process.Wait()
		}
	})
	return s
}

// wait returns the truth once everything is acknowledged.
func (s *simulation) wait() (is truth) {
	s.t.Helper()
	require.NoError(s.t, s.process.Wait(), "callsim:\n%s", &s.log)
	content, err := os.ReadFile(s.truth)
	require.NoError(s.t, err)
	require.NoError(s.t, json.Unmarshal(content, &is))
	require.False(s.t, is.Interrupted)
	return is
}

// records returns the acknowledged good records, the damaged ones, and the
// gaps by the record behind them.
func (is *truth) records() (good, damaged map[identity]bool, gaps map[identity]uint64) {
	good, damaged, gaps = map[identity]bool{}, map[identity]bool{}, map[identity]uint64{}
	for _, b := range is.Bridges {
		for _, s := range b.Sessions {
			for _, r := range s.Acknowledged {
				for i := r[0]; i <= r[1]; i++ {
					good[identity{s.Session, i}] = true
				}
			}
			for _, i := range s.Quarantined {
				damaged[identity{s.Session, i}] = true
			}
			for _, g := range s.Gaps {
				gaps[identity{s.Session, g.Index}] = g.Missing
			}
		}
	}
	return good, damaged, gaps
}
