// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const allTheFaults = "lost-ack=0.2,shift,overflow=4,malformed=0.05,garbage=5,restart=2,skew=5s,reorder,scan=40"

func TestSameFlagsSameBytes(t *testing.T) {
	for _, args := range [][]string{
		{"-meetings", "30"},
		{"-meetings", "30", "-faults", allTheFaults},
	} {
		first := play(t, args...)
		assert.True(t, bytes.Equal(first, play(t, args...)), args)
		assert.False(t, bytes.Equal(first, play(t, append(args, "-seed", "2")...)), args)
	}
}

// TestFaultsOfTheNetworkKeepTheStory: the faults on the way must not change what is on the
// way.
func TestFaultsOfTheNetworkKeepTheStory(t *testing.T) {
	_, plain := playWithTruth(t, "-meetings", "20")
	_, faulty := playWithTruth(t, "-meetings", "20", "-faults", "lost-ack=0.5,shift,reorder")
	assert.Equal(t, plain, faulty)
}

func TestLayout(t *testing.T) {
	head := regexp.MustCompile(`^<\?xml version="1\.0"\?><records session="[0-9a-f-]{36}"( callBridge="[0-9a-f-]{36}")?><record `)
	start := regexp.MustCompile(`^(?:<\?xml.*>)?<record type="\w+" time="[0-9TZ:-]{20}" recordIndex="\d+" correlatorIndex="\d+">$`)
	bare := 0
	for _, p := range split(play(t, "-meetings", "20", "-unclustered")) {
		text := string(p.body)
		match := head.FindStringSubmatch(text)
		require.NotNil(t, match, text)
		if match[1] == "" {
			bare++
			assert.True(t, strings.HasSuffix(p.url, "?system_id=cms3"), p.url)
		}
		lines := strings.Split(strings.TrimSuffix(text, "</records>\n"), "\n")
		for i := 0; i+1 < len(lines); i += 2 {
			assert.Regexp(t, start, lines[i])
			assert.Regexp(t, `^<(call|callLeg|recording|streaming) id="[0-9a-f-]{36}"(/|>.*</\w+)></record>$`, lines[i+1])
		}
	}
	assert.NotZero(t, bare)
}

func TestBatchesAreBounded(t *testing.T) {
	most := 0
	for _, p := range split(play(t, "-meetings", "20", "-max-batch", "7", "-buffer", "400", "-faults", "reorder,lost-ack=0.3,shift")) {
		n := bytes.Count(p.body, []byte("<record "))
		assert.LessOrEqual(t, n, 7)
		most = max(most, n)
	}
	assert.Equal(t, 7, most)
}

// recordStart finds the numbers of the records even in a body that is no XML.
var recordStart = regexp.MustCompile(`recordIndex="(\d+)" correlatorIndex="(\d+)"(?: numPrecedingRecordsMissing="(\d+)")?>`)

func TestOverflowGapsAreExact(t *testing.T) {
	posts, want := playWithTruth(t, "-meetings", "40", "-faults", "overflow=6,restart=2")
	next, legacy, missing, gaps := map[string]uint64{}, map[string]uint64{}, uint64(0), 0
	for _, p := range posts {
		session := parse(t, p.body).attr("session")
		for _, match := range recordStart.FindAllSubmatch(p.body, -1) {
			index, _ := strconv.ParseUint(string(match[2]), 10, 64)
			lost, _ := strconv.ParseUint(string(match[3]), 10, 64)
			assert.Equal(t, next[session]+lost, index)
			next[session] = index + 1
			legacy[session]++
			assert.Equal(t, strconv.FormatUint(legacy[session], 10), string(match[1]))
			missing += lost
			if lost > 0 {
				gaps++
			}
		}
	}
	assert.Equal(t, 6, gaps)
	assert.Equal(t, want.Missing, missing)
	var dropped uint64
	lost := 0
	for _, b := range want.Bridges {
		for _, s := range b.Sessions {
			dropped += s.Dropped.Len()
			assert.Equal(t, s.Generated, s.Dropped.Len()+s.Acknowledged.Len())
			assert.Equal(t, s.Generated, next[s.Session], "the last record is never dropped")
			for _, gap := range s.Gaps {
				assert.True(t, s.Dropped.Has(gap.Index-1))
				assert.True(t, s.Dropped.Has(gap.Index-gap.Missing))
				assert.False(t, s.Dropped.Has(gap.Index))
			}
		}
	}
	for _, l := range want.Legs {
		if l.LostRecords {
			lost++
		}
	}
	assert.Equal(t, missing, dropped)
	assert.NotZero(t, lost)
	assert.Less(t, lost, len(want.Legs))
}

func TestDamagedRecordsAreQuarantinedOnly(t *testing.T) {
	posts, want := playWithTruth(t, "-meetings", "40", "-faults", "malformed=0.1,lost-ack=0.3,shift,reorder")
	quarantined, generated := map[string]bool{}, 0
	for _, b := range want.Bridges {
		for _, s := range b.Sessions {
			generated += int(s.Generated)
			for _, index := range s.Quarantined {
				quarantined[fmt.Sprint(s.Session, index)] = true
				assert.False(t, s.Acknowledged.Has(index))
			}
			assert.Equal(t, s.Generated, s.Acknowledged.Len()+uint64(len(s.Quarantined)))
		}
	}
	assert.InDelta(t, 0.1, float64(len(quarantined))/float64(generated), 0.05)
	session := regexp.MustCompile(`session="([^"]+)"`)
	damagedPosts := 0
	for _, p := range posts {
		damaged := 0
		name := string(session.FindSubmatch(p.body)[1])
		for _, match := range recordStart.FindAllSubmatch(p.body, -1) {
			if quarantined[name+string(match[2])] {
				damaged++
			}
		}
		assert.LessOrEqual(t, damaged, 1)
		assert.Equal(t, damaged == 0, wellFormed(p.body), "%s", p.body)
		damagedPosts += damaged
	}
	assert.Greater(t, damagedPosts, len(quarantined), "no damaged record was resent")
}

func TestGarbageIsInTheTruth(t *testing.T) {
	posts, want := playWithTruth(t, "-meetings", "20", "-faults", "garbage=7,lost-ack=1")
	require.Len(t, want.Garbage, 7)
	sums := map[string]bool{}
	for _, g := range want.Garbage {
		sums[g.SHA256] = true
		found := 0
		for _, p := range posts {
			if bytes.Equal(bytes.TrimRight(p.body, "\n"), bytes.TrimRight(g.Bytes, "\n")) {
				found++
			}
		}
		assert.Equal(t, 1, found, "%q", g.Bytes)
		assert.False(t, wellFormed(g.Bytes))
	}
	assert.Len(t, sums, 7)
}

// TestLostAcknowledgements: with a probability of 1 everything is sent twice,
// and with shift no resend has the boundaries of the try before.
func TestLostAcknowledgements(t *testing.T) {
	for _, shift := range []bool{false, true} {
		faults := "lost-ack=1,reorder"
		if shift {
			faults += ",shift"
		}
		posts, want := playWithTruth(t, "-meetings", "20", "-faults", faults)
		sent := map[string]int{}
		shifted := 0
		for i, p := range posts {
			root := parse(t, p.body)
			for _, rec := range root.Children {
				sent[root.attr("session")+rec.attr("correlatorIndex")]++
			}
			if i > 0 && posts[i-1].url == p.url && !bytes.Equal(posts[i-1].body, p.body) &&
				first(posts[i-1].body) == first(p.body) {
				shifted++
			}
		}
		total := 0
		for _, b := range want.Bridges {
			for _, s := range b.Sessions {
				total += int(s.Generated)
				assert.Equal(t, s.Generated, s.Acknowledged.Len())
			}
		}
		assert.Len(t, sent, total)
		for key, n := range sent {
			assert.GreaterOrEqual(t, n, 2, key)
		}
		assert.Equal(t, shift, shifted > 0)
	}
}

func first(body []byte) string {
	if match := recordStart.FindSubmatch(body); match != nil {
		return string(match[2])
	}
	return ""
}

// TestReorderDelaysWholeBridges: records of one bridge arrive after much later
// ones of another.
func TestReorderDelaysWholeBridges(t *testing.T) {
	late := func(args ...string) int {
		latest, n := "", 0
		for _, p := range split(play(t, append(args, "-meetings", "30")...)) {
			for _, rec := range parse(t, p.body).Children {
				if at := rec.attr("time"); at < latest {
					n++
				} else {
					latest = at
				}
			}
		}
		return n
	}
	assert.Zero(t, late())
	assert.Greater(t, late("-faults", "reorder"), 100)
}
