// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

// playRecordings prints the events of a scenario and returns their bodies.
func playRecordings(t *testing.T, args ...string) ([][]byte, truth.Truth) {
	t.Helper()
	posts, want := playWithTruth(t, append(args, "-target", "none", "-mediasense-target", "http://h/mediasense")...)
	var bodies [][]byte
	for _, p := range posts {
		assert.Equal(t, "http://h/mediasense", p.url)
		bodies = append(bodies, p.body)
	}
	return bodies, want
}

const allTheFaultsOfMediaSense = "ms-duplicate=0.1,ms-reorder=0.1,ms-lost=0.1,ms-malformed=0.1,ms-pair=0.1,ms-seconds=0.1,ms-urls=0.1,ms-boolean=0.1,ms-quoted=0.1"

func TestSameFlagsSameRecordings(t *testing.T) {
	for _, args := range [][]string{
		{"-meetings", "10", "-mediasense-target", "http://h/"},
		{"-meetings", "10", "-mediasense-target", "http://h/,http://i/", "-faults", allTheFaults + "," + allTheFaultsOfMediaSense},
	} {
		first := play(t, args...)
		assert.True(t, bytes.Equal(first, play(t, args...)), args)
		assert.False(t, bytes.Equal(first, play(t, append(args, "-seed", "2")...)), args)
	}
}

// TestRecordsBesideRecordings: the records of a seed are the same with and
// without MediaSense, byte for byte.
func TestRecordsBesideRecordings(t *testing.T) {
	args := []string{"-meetings", "20", "-faults", "restart=2,skew=5s,scan=40"}
	plain, want := playWithTruth(t, args...)
	both, got := playWithTruth(t, append(args, "-mediasense-target", "http://h/mediasense")...)
	both = slices.DeleteFunc(both, func(p post) bool { return p.url == "http://h/mediasense" })
	assert.Equal(t, joined(plain), joined(both))
	require.NotNil(t, got.MediaSense)
	got.MediaSense = nil
	assert.Equal(t, want, got)
}

// joined is the records without the bounds of their posts, which depend on when
// somebody looked.
func joined(posts []post) map[string]string {
	all := map[string]*strings.Builder{}
	for _, p := range posts {
		text := string(p.body)
		head, rest, _ := strings.Cut(text, "<record ")
		if all[head] == nil {
			all[head] = &strings.Builder{}
		}
		all[head].WriteString("<record " + strings.TrimSuffix(strings.TrimSpace(rest), "</records>"))
	}
	out := map[string]string{}
	for head, text := range all {
		out[head] = text.String()
	}
	return out
}

// TestRecordingsAgainstTheTruth applies what was posted, with and without faults.
func TestRecordingsAgainstTheTruth(t *testing.T) {
	for _, args := range [][]string{
		{"-meetings", "20"},
		{"-meetings", "20", "-seed", "2", "-live", "-speed", "0", "-start", "2026-01-05T08:00:00Z"},
		{"-meetings", "10", "-seed", "3", "-mediasense-servers", "1"},
		{"-meetings", "10", "-seed", "4", "-play-for", "10m"},
		{"-meetings", "20", "-seed", "5", "-faults", "ms-duplicate=0.3,ms-pair=0.2"},
		{"-meetings", "20", "-seed", "6", "-mediasense-disk", "1e6"},
	} {
		bodies, want := playRecordings(t, args...)
		ordered := !slices.Contains(args, "-faults")
		f := foldRecordings(t, bodies, ordered)
		ms := want.MediaSense
		assert.Empty(t, ms.Missed)
		assert.Equal(t, ms.Happened, ms.Distinct)
		if ordered {
			assert.Equal(t, ms.Distinct, f.distinct, args)
		}
		f.compare(ms)
		deleted, pruned := 0, 0
		for _, how := range f.gone {
			if how == "deleted" {
				deleted++
			} else {
				pruned++
			}
		}
		assert.Equal(t, []int{ms.Deleted, ms.Pruned}, []int{deleted, pruned})
		for _, d := range ms.Disks {
			disk := fmt.Sprint(d.NodeID, d.Partition)
			if ordered {
				assert.Equal(t, d.State, levels[f.level[disk]])
				assert.Len(t, f.thresholds[disk], len(d.Thresholds))
				for action, n := range d.Thresholds {
					assert.Equal(t, n, f.thresholds[disk][action])
				}
			}
			assert.Equal(t, len(d.Thresholds) > 0, d.LastPercent != nil)
		}
	}
}

// TestRecordingsWithFaults: what did not arrive learns to be missed, and the rest is the
// truth.
func TestRecordingsWithFaults(t *testing.T) {
	bodies, want := playRecordings(t, "-meetings", "20", "-faults", "ms-duplicate=0.1,ms-lost=0.2,ms-malformed=0.1,ms-pair=0.1")
	f := foldRecordings(t, bodies, false)
	ms := want.MediaSense
	require.NotEmpty(t, ms.Missed)
	missed := map[string]int{}
	for _, m := range ms.Missed {
		missed[m.Event]++
	}
	for kind, n := range ms.Happened {
		assert.Equal(t, n, ms.Distinct[kind]+missed[kind], kind)
		if !strings.HasPrefix(kind, "STORAGE") {
			assert.Equal(t, ms.Distinct[kind], f.distinct[kind], kind)
		}
	}
	f.compare(ms)
	whole := 0
	for _, s := range ms.Sessions {
		if len(s.Missed) == 0 {
			whole++
		}
	}
	assert.Positive(t, whole)
	assert.Less(t, whole, len(ms.Sessions))
}

// TestPausesAndSilences: the sums are those of the tags.
func TestPausesAndSilences(t *testing.T) {
	_, want := playRecordings(t, "-meetings", "20")
	paused, silent, open, former := 0, 0, 0, 0
	byID := map[string]*truth.RecordedSession{}
	for _, s := range want.MediaSense.Sessions {
		byID[s.ID] = s
		if s.PausedSeconds > 0 {
			paused++
			assert.LessOrEqual(t, s.PausedSeconds, time.Duration(s.EndUnixNano-s.StartUnixNano).Seconds())
		}
		for _, track := range s.Tracks {
			if n := len(track.Silences); n > 0 {
				silent++
				if track.Silences[n-1].EndUnixNano == track.EndUnixNano {
					open++
				}
			}
			for i, gap := range track.Silences {
				assert.GreaterOrEqual(t, gap.EndUnixNano, gap.StartUnixNano)
				assert.True(t, i == 0 || gap.StartUnixNano >= track.Silences[i-1].EndUnixNano)
			}
		}
		if s.Former != "" {
			former++
			assert.Equal(t, byID[s.Former].CCID, s.CCID)
		}
	}
	assert.Positive(t, paused)
	assert.Positive(t, silent)
	assert.Positive(t, open)
	assert.Positive(t, former)
}

func TestBadFlagsOfMediaSense(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-mediasense-target", "ftp://x"}, `-mediasense-target: must be http or https URLs, got "ftp://x"`},
		{[]string{"-mediasense-target", "http://x,"}, `-mediasense-target: must be http or https URLs, got "http://x,"`},
		{[]string{"-mediasense-target", "http://x", "-mediasense-api", "a:1"}, `-mediasense-target: does not go with -mediasense-api, got "http://x"`},
		{[]string{"-mediasense-api", "a:1,b:2,c:3"}, `-mediasense-api: must be one address or as many as there are servers (2), got "a:1,b:2,c:3"`},
		{[]string{"-mediasense-api", "a"}, `-mediasense-api: must be host:port with room for all servers, got "a"`},
		{[]string{"-mediasense-api", "a:1", "-print"}, `-mediasense-api: does not go with -print, which has no clock`},
		{[]string{"-mediasense-servers", "0"}, `-mediasense-servers: must be between 1 and 9, got "0"`},
		{[]string{"-mediasense-disk", "-1"}, `-mediasense-disk: must be between 0 and 1e9, got "-1"`},
		{[]string{"-mediasense-disk", "NaN"}, `-mediasense-disk: must be between 0 and 1e9, got "NaN"`},
		{[]string{"-mediasense-cert", "x"}, `-mediasense-cert: needs -mediasense-tls, got "x"`},
		{[]string{"-mediasense-tls"}, `-mediasense-tls: needs -mediasense-api`},
		{[]string{"-await-mediasense"}, `-await-mediasense: needs -mediasense-api`},
		{[]string{"-mediasense-retry", "-1s"}, `-mediasense-retry: must be at least 0s, got "-1s"`},
		{[]string{"-linger-mediasense", "-1s"}, `-linger-mediasense: must be at least 0s, got "-1s"`},
		{[]string{"-faults", "ms-lost=0.1"}, `-faults: faults of MediaSense need -mediasense-target or -mediasense-api, got "ms-lost=0.1"`},
		{[]string{"-faults", "ms-busy=1s", "-mediasense-target", "http://x"}, `-faults: faults of the MediaSense API need -mediasense-api, got "ms-busy=1s"`},
		{[]string{"-faults", "ms-lost=2"}, `-faults: ms-lost must be between 0 and 1, got "2"`},
		{[]string{"-faults", "ms-old=1"}, `-faults: ms-old takes no value, got "1"`},
	} {
		_, err := parseOptions(tc.args, nil)
		assert.EqualError(t, err, tc.want, tc.args)
	}
}
