// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
)

// world makes up what senders tell: calls of some conferences on some bridges,
// legs that come late into a call, are moved and share a screen, recordings,
// restarts, recorded sessions, and everything that can be missing.
type world struct {
	*rand.Rand
	all   []happening
	index []uint64 // by bridge
	runs  []int    // likewise: how often it has started anew
	legs  int
}

func newWorld(seed uint64, bridges int) *world {
	return &world{Rand: rand.New(rand.NewPCG(seed, 1)), index: make([]uint64, bridges), runs: make([]int, bridges)}
}

func (w *world) chance(percent int) bool { return w.IntN(100) < percent }

func (w *world) say(bridge int, kind Kind, id string, phase Phase, seconds int, fields ...Field) {
	w.index[bridge]++
	w.all = append(w.all, happening{
		record: Record{Kind: kind, ID: id, Phase: phase, Time: at(seconds), Index: w.index[bridge], Fields: fields},
		source: [2]string{fmt.Sprint("bridge ", bridge), w.run(bridge)},
		bridge: fmt.Sprint("bridge ", bridge),
	})
}

// run is the session of a bridge.
func (w *world) run(bridge int) string {
	if n := w.runs[bridge]; n > 0 {
		return fmt.Sprint("session ", bridge, " run ", n)
	}
	return fmt.Sprint("session ", bridge)
}

// restart has a bridge start anew, with or without anybody saying so.
func (w *world) restart(bridge, seconds int) {
	if w.chance(50) {
		w.all = append(w.all, happening{session: w.run(bridge), at: at(seconds)})
	}
	w.runs[bridge]++
	w.index[bridge] = 0
}

func textField(key, value string) Field { return Field{key, Text(value)} }

// call on a bridge, with legs, from a second on.
func (w *world) call(bridge, n, correlator, start, legs int) {
	id := guid(1, n)
	if w.chance(20) {
		id = fmt.Sprint("Call/", n)
	}
	end := start + 60 + w.IntN(60)
	w.say(bridge, Call, id, Start, start, textField(names.CallCorrelator, guid(2, correlator)), textField(callKey("name"), fmt.Sprint("room ", correlator)))
	for range legs {
		w.leg(bridge, id, start, end)
	}
	if w.chance(30) {
		recording := guid(3, n)
		w.say(bridge, Recording, recording, Start, start+5, textField(names.CallID, id), textField(names.CallLegID, guid(4, w.legs)))
		w.say(bridge, Recording, recording, End, end-5)
	}
	w.say(bridge, Call, id, End, end, Field{callKey("durationSeconds"), Double(float64(end - start))})
}

func (w *world) leg(bridge int, call string, start, end int) {
	w.legs++
	id, former := guid(4, w.legs), guid(4, w.legs-1)
	fields := []Field{
		textField(names.ParticipantID, guid(5, w.legs/2)), textField(names.SIPCallID, fmt.Sprint("sip", w.legs/2, "@host")),
		textField(legKey("direction"), "incoming"), textField(legKey("displayName"), strings.Repeat("n", w.IntN(40))),
	}
	if w.chance(20) {
		fields = append(fields, textField(legKey("movedCallLeg"), former))
	}
	if w.chance(20) {
		fields = append(fields, textField(legKey("replacesSipCallId"), fmt.Sprint("sip", w.legs/2, "@host")))
	}
	if w.chance(30) {
		fields = append(fields, textField(legKey("subType"), "lync"), textField(legKey("lyncSubType"), []string{lyncSharing, lyncAudioVideo}[w.IntN(2)]))
	}
	at := start + w.IntN(20) - 5
	w.say(bridge, CallLeg, id, Start, at, fields...)
	for range w.IntN(3) {
		at += w.IntN(15)
		update := []Field{{legKey("deactivated"), Bool(w.chance(50))}, textField(legKey("state"), "connected")}
		if w.chance(40) {
			update = append(update, textField(legKey("ivr"), ""))
		} else {
			update = append(update, textField(names.CallID, call))
		}
		w.say(bridge, CallLeg, id, Update, at, update...)
	}
	w.say(bridge, CallLeg, id, End, end,
		textField(legKey("reason"), []string{"remoteTeardown", "TimeOut"}[w.IntN(2)]), Field{legKey("durationSeconds"), Double(float64(end - at))},
		Field{names.CallLegAlarm + ".packet_loss.duration_percentage", Double(0.5)}, Field{"opaque", Opaque("\x00\x01")})
}

// lose leaves out some of the records, and lets a bridge die.
func (w *world) lose(percent int) {
	w.all = slices.DeleteFunc(w.all, func(happening) bool { return w.chance(percent) })
	for bridge := range 2 {
		for w.chance(30) { // rightly or wrongly, once or more
			w.all = append(w.all, happening{session: fmt.Sprint("session ", bridge), at: at(w.IntN(400))})
		}
	}
}

func randomWorld(seed uint64) *world { return makeWorld(seed, true) }

// makeWorld makes a world, with scheduled meetings or without.
func makeWorld(seed uint64, scheduled bool) *world {
	w := newWorld(seed, 3)
	for n := range 1 + w.IntN(4) {
		bridge, start := w.IntN(3), w.IntN(200)
		if w.chance(15) {
			w.restart(bridge, start)
		}
		w.call(bridge, n, w.IntN(2), start, w.IntN(4))
	}
	for n := range w.IntN(3) {
		w.session(n, w.IntN(2), w.IntN(100))
	}
	for range w.IntN(4) {
		w.dialog(fmt.Sprint("sip", w.IntN(4), "@host"), w.IntN(200))
	}
	if scheduled {
		for n := range w.IntN(3) {
			w.schedule(n, w.IntN(2), w.IntN(200))
		}
	}
	w.lose(w.IntN(30))
	return w
}

// play lets things happen, and returns what comes out in the end.
func play(tb testing.TB, all []happening) []string {
	tb.Helper()
	e := New(options)
	for i := range all {
		all[i].happen(tb, e, noon)
	}
	return finish(tb, e, noon)
}

// finish lets all time pass that there is. Nothing must be left open by then,
// and nothing at all when what was emitted may be forgotten.
func finish(tb testing.TB, e *Engine, from time.Time) []string {
	tb.Helper()
	out := emitAll(e, from)
	require.Zero(tb, e.queues[open], "open")
	require.Zero(tb, e.queues[ended], "ended")
	require.Zero(tb, e.queues[endedIndirectly], "ended by another")
	require.Zero(tb, e.queues[pendingEmit], "pending")
	require.Zero(tb, e.queues[setAside], "set aside")
	advance(e, from.Add(3*options.MaxOpen))
	requireEmpty(tb, e)
	return out
}

// emitAll lets time pass until everything has been emitted. Nothing is before the
// grace of a restart is over: with a restart or without, the order is the same.
func emitAll(e *Engine, from time.Time) (out []string) {
	for _, wait := range []time.Duration{0, options.Linger, graceFirst, options.MaxOpen, options.MaxOpen + options.Linger} {
		advance(e, from.Add(wait))
		if wait >= graceFirst {
			out = append(out, emit(e, from.Add(wait))...)
		}
	}
	return out
}

// requireEmpty: whatever is held for an object goes with it.
func requireEmpty(tb testing.TB, e *Engine) {
	tb.Helper()
	require.Zero(tb, e.objects.used())
	require.Zero(tb, e.containers.used())
	require.Zero(tb, e.arena.cells)
	for _, index := range []hashIndexes{e.participants, e.sipCalls, e.spaces, e.spaceChanges, e.meetings} {
		require.Zero(tb, index.current.table.count)
		require.Zero(tb, index.emitted.table.count)
	}
	require.Empty(tb, e.correlators)
	require.Empty(tb, e.recordedSessionsByCall)
	require.Empty(tb, e.resources.slotOf)
	require.Empty(tb, e.sessions.slotOf)
	require.Empty(tb, e.absences)
	require.Empty(tb, e.comparisons)
	require.Empty(tb, e.removals)
	require.Empty(tb, e.closingSessions)
	require.Empty(tb, e.resumedSessions)
	require.Empty(tb, e.closingCalls)
	require.Zero(tb, e.identities.count)
}

// TestPermutations: the records of a call give the same in every order.
func TestPermutations(t *testing.T) {
	t.Parallel()
	w := newWorld(7, 1)
	w.call(0, 1, 1, 0, 1)
	for len(w.all) < 8 {
		w.leg(0, guid(1, 1), 10, 50)
	}
	all := w.all[:8]
	orders := 40320
	if raceEnabled {
		all, orders = w.all[:6], 720
	}
	want := play(t, slices.Clone(all))
	require.NotEmpty(t, want)
	runs := 0
	permute(all, 0, func() {
		runs++
		if got := play(t, all); !slices.Equal(want, got) {
			require.Equal(t, want, got, "%v", all)
		}
	})
	assert.Equal(t, orders, runs)
}

func permute(all []happening, from int, visit func()) {
	if from == len(all) {
		visit()
		return
	}
	for i := from; i < len(all); i++ {
		all[from], all[i] = all[i], all[from]
		permute(all, from+1, visit)
		all[from], all[i] = all[i], all[from]
	}
}

// TestShuffles: so do those of whole worlds, with some of them coming again and
// a restart in the middle.
func TestShuffles(t *testing.T) {
	shuffles := 100_000
	if testing.Short() || raceEnabled {
		shuffles = 5_000
	}
	const perWorld = 50
	for seed := range uint64(shuffles / perWorld) {
		w := randomWorld(seed)
		want := play(t, w.all)
		for range perWorld {
			all := slices.Clone(w.all)
			for range w.IntN(5) {
				if len(all) > 0 {
					all = append(all, all[w.IntN(len(all))])
				}
			}
			w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			stop := w.IntN(len(all) + 1)
			e := New(options)
			for i := range all {
				if i == stop {
					e = restart(t, e, noon)
				}
				all[i].happen(t, e, noon)
			}
			if got := finish(t, e, noon); !slices.Equal(want, got) {
				require.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"), "seed %d", seed)
			}
		}
	}
}

// TestRestarts: the case of GUIDs, several restarts (from a snapshot or from the log of changes),
// and time that passes make no difference before objects are due.
func TestRestarts(t *testing.T) {
	worlds := 250
	if testing.Short() || raceEnabled {
		worlds = 60
	}
	for seed := range uint64(worlds) {
		w := randomWorld(seed)
		want := withoutDue(play(t, w.all))
		for range 5 {
			all := append(slices.Clone(w.all), w.all[:len(w.all)/4]...)
			for i := range all {
				all[i] = w.changeCase(all[i])
			}
			w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			e, now := New(options), noon
			log := [][]byte{nil}
			for i := range all {
				switch w.IntN(12) {
				case 0:
					e = restart(t, e, now)
					log = [][]byte{changes(e)}
					e.BeginSnapshot()
					for last := false; !last; {
						log[0], last = e.AppendSnapshot(log[0], 300)
					}
				case 1:
					log = append(log, changes(e))
					e = restore(t, now, log...)
				case 2:
					log = append(log, changes(e))
				case 3:
					if now = now.Add(time.Duration(w.IntN(300)) * time.Millisecond); now.Sub(noon) > options.Linger/2 {
						now = noon.Add(options.Linger / 2)
					}
					advance(e, now)
				}
				all[i].happen(t, e, now)
			}
			if got := withoutDue(finish(t, e, now)); got != want {
				require.Equal(t, want, got, "seed %d", seed)
			}
		}
	}
}

// withoutDue joins descriptions in lower case, without the times at which the objects were due.
func withoutDue(lines []string) string {
	return strings.ToLower(due.ReplaceAllString(strings.Join(lines, "\n"), ""))
}

var due = regexp.MustCompile(` due=\S+`)

// changeCase writes some GUIDs of a record in upper case.
func (w *world) changeCase(h happening) happening {
	change := func(text string) string {
		var guid identity
		if w.chance(40) && parseGUID(&guid, text) != guidNone {
			return strings.ToUpper(text)
		}
		return text
	}
	h.record.ID = change(h.record.ID)
	h.record.Fields = slices.Clone(h.record.Fields)
	for i, f := range h.record.Fields {
		if f.Value.Kind == KindText {
			h.record.Fields[i].Value = Text(change(f.Value.Text))
		}
	}
	return h
}
