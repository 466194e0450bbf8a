// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the current version stores, once for each version")

// current is what this version stores: without the ending, with its number and what
// came last into it.
const current = "testdata/state-v7-scheduling"

// TestStoredByReleases: what any release stored is read as it was meant. The
// files stay as they were written; a new version adds one.
func TestStoredByReleases(t *testing.T) {
	files, err := filepath.Glob("testdata/state-v*.bin")
	require.NoError(t, err)
	if *update && !slices.Contains(files, current+".bin") {
		w := newWorld(11, 3)
		for n := range 4 {
			w.call(n%3, n, n/3, 20*n, 3)
		}
		w.session(0, 0, 10)
		w.session(1, 0, 60)
		for n := range 4 {
			w.dialog(fmt.Sprint("sip", n, "@host"), 20*n)
		}
		w.schedule(0, 0, 10)
		w.schedule(2, 1, 50)
		w.lose(10)
		w.say(0, Call, guid(1, 99), Start, 900)
		w.all = append(w.all, happening{session: "session 1", at: at(70)}, happening{session: "session 2", at: at(1000)})
		e := New(options)
		var stored []byte
		for i := range w.all {
			w.all[i].happen(t, e, noon)
			if i%10 == 0 {
				stored = append(stored, changes(e)...)
			}
		}
		advance(e, noon)
		advance(e, noon.Add(options.Linger))
		e.VisitPendingEmits(Ref{}, 3, func(s *Stitched) { e.MarkEmitted(noon, s.Ref, true) })
		for _, seconds := range []int{1000, 1060} {
			e.List(noon, &Listing{
				Bridge: NewSource("", "").OnBridge(1, "bridge 0"), Kind: Call, At: at(seconds), Started: at(0), Part: 1, Parts: 1,
			})
		}
		advance(e, noon.Add(options.Linger))
		require.NoError(t, os.WriteFile(current+".bin", append(stored, changes(e)...), 0o600))
		files = append(files, current+".bin")
	}
	require.Contains(t, files, current+".bin")
	for _, file := range files {
		stored, err := os.ReadFile(file)
		require.NoError(t, err)
		text := file[:len(file)-len("bin")] + "txt"
		got := joined(finish(t, restore(t, noon.Add(options.Linger), stored), noon.Add(options.Linger)))
		if *update { // what is made of it may change
			require.NoError(t, os.WriteFile(text, []byte(got), 0o600))
		}
		want, err := os.ReadFile(text)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, file)
	}
}

func joined(lines []string) string {
	var b []byte
	for _, line := range lines {
		b = append(append(b, line...), '\n')
	}
	return string(b)
}

// TestJournal: whenever the process dies, what was stored until then gives the
// state of that moment: changes after each step, with sweeps between them, of
// which the finished ones make what came before them superfluous.
func TestJournal(t *testing.T) {
	for seed := range uint64(200) {
		w := randomWorld(seed)
		w.Shuffle(len(w.all), func(i, j int) { w.all[i], w.all[j] = w.all[j], w.all[i] })
		e := New(options)
		var segments [][]byte
		sweptFrom, sweeping := 0, false
		now := noon
		for i := range w.all {
			w.all[i].happen(t, e, now)
			if w.chance(20) {
				now = now.Add(options.Linger)
				advance(e, now)
			}
			if w.chance(50) {
				e.VisitPendingEmits(Ref{}, 1, func(s *Stitched) { e.MarkEmitted(now, s.Ref, true) })
			}
			if w.chance(30) {
				continue // a commit of several requests
			}
			segment := changes(e)
			if !sweeping && w.chance(30) {
				sweeping, sweptFrom = true, len(segments)
				e.BeginSnapshot()
			}
			if sweeping {
				var last bool
				if segment, last = e.AppendSnapshot(segment, 200); last {
					segments = slices.Delete(segments, 0, sweptFrom)
					sweeping = false
				}
			}
			segments = append(segments, segment)
			again := restore(t, now, segments...)
			for e.followUpOne() { // a restart does all of it at once
			}
			require.Equal(t, dump(e), dump(again), "seed %d step %d", seed, i)
		}
		segments = append(segments, changes(e))
		again := restore(t, now, segments...)
		advance(again, now)
		advance(e, now)
		require.Equal(t, finish(t, e, now), finish(t, again, now), "seed %d", seed)
	}
}

// dump describes the state of an engine by what it stores, without the numbers
// that are its own.
func dump(e *Engine) map[string]string {
	for correlator := range e.correlators { // as a restart does: the end of a session changes it
		e.regroup(correlator)
	}
	all := make(map[string]string)
	for slot := uint32(1); slot <= e.objects.highest; slot++ {
		o := e.objects.at(slot)
		if o.state == free {
			continue
		}
		fixed := *o
		fixed.facts, fixed.generation, fixed.resource, fixed.session, fixed.containerSlot, fixed.containerIndex = 0, 0, 0, 0, 0, 0
		fixed.nextInBucket, fixed.newestIndex = 0, 0
		fixed.queue, fixed.ofSession, fixed.ofCall = listLinks{}, listLinks{}, listLinks{}
		fixed.participant = indexEntry{hash: o.participant.hash} // without the links of a leg or a track
		fixed.sip = indexEntry{hash: o.sip.hash}
		fixed.flags &= storedFlags
		text := show(Opaque(string(e.arena.appendTo(nil, o.facts, o.factsSize))))
		if o.state != emitted || o.kind.isContainer() {
			f := factsCodec{}
			f.read(e.arena.appendTo(nil, o.facts, o.factsSize))
			f.normalize(&e.dictionary)
			var incoming strings.Builder
			for _, s := range f.statements {
				incoming.WriteString(clock(s.time))
				for _, entry := range s.attributes {
					fmt.Fprintf(&incoming, " %s=%s", e.dictionary.texts[entry.key], show(value(entry.raw)))
				}
			}
			for _, it := range f.items {
				fmt.Fprintf(&incoming, " %s[%d %q %t]", e.dictionary.texts[it.list], it.at, it.id, it.removed)
				slices.SortFunc(it.fields, func(a, b itemField) int { return strings.Compare(e.dictionary.texts[a.key], e.dictionary.texts[b.key]) })
				for _, field := range it.fields {
					fmt.Fprintf(&incoming, " %s=%s/%d", e.dictionary.texts[field.key], show(value(field.raw)), field.rank)
				}
			}
			text = incoming.String()
			fixed.factsSize = 0
		}
		if o.kind.isContainer() {
			info := *e.infoOf(slot)
			text += show(Opaque(string(info.trace[:]))) + clock(info.firstNamedAt) + clock(info.lastNamedAt)
			fixed.containerSlot = info.memberCount
			text += fmt.Sprint(clock(info.start), clock(info.end), info.groupID)
		}
		if o.session != 0 {
			s := e.sessions.at(o.session)
			text += e.sessions.texts[o.session] + clock(max(s.rememberedSince, s.lastDeclaredOver)) + clock(s.overAt) + clock(s.last) + strconv.FormatUint(s.bridge, 16)
		}
		all[o.kind.String()+string(o.identity[:])] = text + e.resources.texts[o.resource] + fmt.Sprintf("%+v", fixed)
	}
	return all
}

// stored is what an engine in the middle of things stores.
func stored(tb testing.TB) []byte {
	tb.Helper()
	content, err := os.ReadFile(current + ".bin")
	require.NoError(tb, err)
	return content
}

// checkLoad: whatever is stored, loading it ends in a state that can be worked
// with, and what was read is emitted in the end.
func checkLoad(tb testing.TB, stored []byte) {
	tb.Helper()
	e := New(options)
	if err := e.Load(stored); err != nil {
		require.ErrorIs(tb, err, ErrStored)
	}
	e.FinishLoad(noon)
	objects := e.objects.used()
	w := newWorld(1, 1)
	w.call(0, 1, 0, 0, 2)
	for i := range w.all {
		w.all[i].happen(tb, e, noon)
	}
	out := finish(tb, e, noon)
	require.LessOrEqual(tb, len(out), objects+len(w.all))
}

func TestDamagedState(t *testing.T) {
	whole := stored(t)
	step := 1
	if raceEnabled {
		step = 13
	}
	for n := 0; n < len(whole); n += step {
		checkLoad(t, whole[:n])
	}
	for i := 0; i < len(whole); i += step {
		damaged := slices.Clone(whole)
		damaged[i] ^= 1 << (i % 8)
		checkLoad(t, damaged)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(stored(f))
	f.Fuzz(func(t *testing.T, stored []byte) { checkLoad(t, stored) })
}
