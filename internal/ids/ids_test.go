// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ids

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

const call = "46d49cb4-8171-4abc-97f5-b88035b1da0a"

func traceHex(kind, id string) string {
	trace := Trace(kind, id)
	return hex.EncodeToString(trace[:])
}

func spanHex(kind, id string) string {
	span := Span(kind, id)
	return hex.EncodeToString(span[:])
}

// The published vectors are here and in docs/ids.md, so that a change of both is not
// mistaken for an update of the document.
func TestVectors(t *testing.T) {
	assert.Equal(t, "81eec228890c5310c28f44fe626b0159", traceHex(names.KindCall, call))
	assert.Equal(t, "5581dbaf154caf46", spanHex(names.KindCall, call))
	assert.Equal(t, "13aa44172109b5a8", spanHex(names.KindCallLeg, "fc9c85ca-8c41-4a1a-9252-b16977d1e4e1"))
	assert.Equal(t, "828d4abdcbae7a63", spanHex(names.KindCallLeg, "9cfdb064-3ae9-4b08-a003-6478187f375f"))
}

func TestKinds(t *testing.T) {
	assert.Equal(t, []string{
		"cisco.meeting_server.call", "cisco.meeting_server.call_leg", "cisco.meeting_server.recording", "cisco.meeting_server.streaming",
		"cisco.meeting_server.api.request", "cisco.meeting_server.scheduled_meeting",
		"cisco.mediasense.session", "cisco.mediasense.track", "oracle.ocms.dialog",
	}, names.Kinds())
	for _, kind := range names.Kinds() {
		assert.NotContains(t, kind, "\x00")
	}
}

func TestCaseOfASCIILettersIsIgnored(t *testing.T) {
	f := func(a, b string, want bool) {
		t.Helper()
		assert.Equal(t, want, Span(names.KindDialog, a) == Span(names.KindDialog, b), "%q and %q", a, b)
		assert.Equal(t, want, Trace(names.KindDialog, a) == Trace(names.KindDialog, b), "%q and %q", a, b)
	}
	f(call, strings.ToUpper(call), true)
	f("@[`{AZaz09", "@[`{azAZ09", true)
	f("@", "`", false)
	f("[", "{", false)
	f("É", "é", false)
	f("\xc1", "\xe1", false)
	f("a", "a ", false)
	f("", "\x00", false)
}

// Only the case of the id is ignored, and the parts are separate.
func TestPartsAreSeparate(t *testing.T) {
	seen := make(map[[8]byte]string)
	for _, kind := range []string{"a", "ab", "abc", "trace", "span"} {
		for _, id := range []string{"", "a", "b", "bc", "c", "\x00", "\x00a", "a\x00", strings.Repeat("a", 200), strings.Repeat("a", 201)} {
			for what, got := range map[string][8]byte{"span": Span(kind, id), "trace": [8]byte(trace8(kind, id))} {
				name := what + " " + kind + " " + id
				assert.Empty(t, seen[got], "%q", name)
				seen[got] = name
			}
		}
	}
}

func trace8(kind, id string) []byte {
	trace := Trace(kind, id)
	return trace[:8]
}

func TestNeverZero(t *testing.T) {
	f := func(id, want []byte) {
		t.Helper()
		ensureNonZero(id)
		assert.Equal(t, want, id)
	}
	f(make([]byte, 8), []byte{0, 0, 0, 0, 0, 0, 0, 1})
	f([]byte{0, 2}, []byte{0, 2})
	f([]byte{3, 0}, []byte{3, 0})
}

// Probability samplers read the last seven bytes of a trace id as a number.
func TestTraceIDsAreEvenlySpread(t *testing.T) {
	const ids, buckets = 64_000, 64
	random := rand.New(rand.NewPCG(1, 1))
	var counts [buckets]int
	for range ids {
		var guid [16]byte
		for i := range guid {
			guid[i] = byte(random.Uint32())
		}
		trace := Trace(names.KindCall, hex.EncodeToString(guid[:]))
		counts[trace[9]%buckets]++
	}
	for bucket, n := range counts {
		// Six standard deviations.
		assert.InDelta(t, ids/buckets, n, 190, "bucket %d", bucket)
	}
}

func TestNoAllocation(t *testing.T) {
	id := strings.ToUpper(call)
	for _, kind := range names.Kinds() {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			Trace(kind, id)
			Span(kind, id)
		}))
	}
}

func BenchmarkIDs(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Trace(names.KindCallLeg, call)
		Span(names.KindCallLeg, call)
	}
}
