// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/legato-otel/legato/internal/names"
)

// typical is what a leg's records say, much as callsim's do.
type typical struct {
	source Source
	fields [4][]Field
}

func newTypical() *typical {
	return &typical{
		source: NewSource("resource of some bridge", "session of it"),
		fields: [4][]Field{
			{
				textField(legKey("remoteParty"), "jana.novak@example.org"), textField(legKey("localAddress"), "weekly.review@meet.example.org"),
				textField(legKey("displayName"), "Jana Novak"), textField(legKey("remoteAddress"), "jana.novak@example.org"),
				textField(legKey("type"), "sip"), textField(legKey("direction"), "incoming"), textField(names.ParticipantID, ""),
				textField(names.SIPCallID, ""),
				{legKey("canMove"), Bool(true)},
			},
			{textField(legKey("state"), "connected"), textField(legKey("ivr"), ""), {legKey("deactivated"), Bool(false)}, textField(legKey("displayName"), "Jana Novak")},
			{textField(legKey("state"), "connected"), textField(names.CallID, ""), {legKey("deactivated"), Bool(false)}, textField(names.ParticipantID, ""), textField(names.SIPCallID, "")},
			{
				textField(legKey("reason"), "remoteTeardown"),
				{legKey("remoteTeardown"), Bool(true)},
				{legKey("durationSeconds"), Double(3953)},
				{legKey("activatedDuration"), Double(3911)},
				{legKey("encryptedMedia"), Bool(true)},
				{legKey("mediaUsagePercentages/mainVideoViewer"), Double(98.9)},
				textField(legKey("rxAudio/codec"), "opus"), textField(legKey("txAudio/codec"), "opus"), textField(legKey("rxVideo/codec"), "h264"),
				{legKey("rxAudio/packetStatistics/packetLossBursts/duration"), Double(0.25)},
				{legKey("rxAudio/packetStatistics/packetLossBursts/density"), Double(1.25)},
				{names.CallLegAlarm + ".packet_loss.duration_percentage", Double(1.4)},
				textField(names.SIPCallID, ""),
			},
		},
	}
}

// record is the n-th record of a leg, of which each call has ten.
func (t *typical) record(leg, n int) *Record {
	fields := t.fields[n]
	for i := range fields {
		switch fields[i].Key {
		case names.ParticipantID:
			fields[i].Value = Text(guidOf(5, leg))
		case names.CallID:
			fields[i].Value = Text(guidOf(1, leg/10))
		case names.SIPCallID:
			fields[i].Value = Text(strconv.FormatInt(int64(leg)*7919+1e12, 16) + "@10.20.30.40")
		}
	}
	phase := Update
	switch n {
	case 0:
		phase = Start
	case 3:
		phase = End
	}
	return &Record{
		Kind: CallLeg, ID: guidOf(4, leg), Phase: phase, Time: at(n * 60), Index: uint64(leg*4 + n),
		Source: t.source, Fields: fields,
	}
}

// guidOf is spread evenly, as GUIDs are.
func guidOf(kind, n int) string {
	var b [16]byte
	x := uint64(kind)<<56 + uint64(n)
	for half := range 2 {
		x += 0x9e3779b97f4a7c15
		z := (x ^ x>>30) * 0xbf58476d1ce4e5b9
		binary.NativeEndian.PutUint64(b[8*half:], (z^z>>27)*0x94d049bb133111eb)
	}
	var text [guidText]byte
	return string(appendGUID(text[:0], &b))
}

// fill opens legs: their first three records have come.
func fill(e *Engine, t *typical, legs int) {
	for leg := range legs {
		for n := range 3 {
			if _, err := e.Apply(noon, t.record(leg, n)); err != nil {
				panic(err)
			}
		}
	}
}

// BenchmarkApply is one record; the legs that end are replaced by new ones, so
// that as many are open all the time.
func BenchmarkApply(b *testing.B) {
	for _, legs := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint("open=", legs), func(b *testing.B) {
			large := options
			large.MaxObjects = 10_000_000
			e := New(large)
			t := newTypical()
			fill(e, t, legs)
			next, now := legs, noon
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				step := n % 4
				leg := next - legs
				if step < 3 {
					leg = next
				}
				if _, err := e.Apply(now, t.record(leg, step)); err != nil {
					b.Fatal(err)
				}
				if step == 3 {
					next++
					now = now.Add(time.Second)
					e.Advance(now)
					e.VisitPendingEmits(Ref{}, 1, func(s *Stitched) { e.MarkEmitted(now, s.Ref, true) })
				}
				if len(e.journal.changed) > 1000 {
					e.AppendChanges(nil)
				}
			}
		})
	}
}

// BenchmarkOpenLegs is what an open leg takes of the heap.
func BenchmarkOpenLegs(b *testing.B) {
	const legs = 100_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		large := options
		large.MaxObjects = 10 * legs
		e := New(large)
		fill(e, newTypical(), legs)
		e.AppendChanges(nil)
		e.journal.changed = nil
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/legs, "B/leg")
		runtime.KeepAlive(e)
	}
}
