// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The test binary is what starts itself here.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "-work" || os.Args[1] == "-serve") {
		main()
		return
	}
	os.Exit(m.Run())
}

// few legs, so that all parts together take seconds.
const few = 300

// simulated is the corpus of all tests; the file is each test's own.
var simulated = sync.OnceValues(func() (*corpus, error) {
	directory, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory)
	c, err := newCorpus(context.Background(), directory)
	if err != nil {
		return nil, err
	}
	encoded, err := os.ReadFile(c.file)
	c.file = string(encoded)
	return c, err
})

func testCorpus(t *testing.T) *corpus {
	t.Helper()
	c, err := simulated()
	require.NoError(t, err)
	own := *c
	own.file = t.TempDir() + "/records.otlp"
	require.NoError(t, os.WriteFile(own.file, []byte(c.file), 0o600))
	return &own
}

func TestRecordsPart(t *testing.T) {
	p := recordsPlan{rounds: 1, open: []int{few}, peers: few, records: 2_000, spans: few * spansPerTrace, compared: few}
	costs, err := p.bench(t.Context(), testCorpus(t))
	require.NoError(t, err)
	for _, kind := range []string{callstitch, withDialogs, groupByTrace, tailSampling, "logs", "spans"} {
		assert.NotEmpty(t, costs[costKey{kind, few}], "%s", kind)
	}
	got := p.report(costs)
	assert.Contains(t, got, "| callstitch / groupbytrace | <= 1/5 | ")
	assert.Contains(t, got, "| us per record or span (spread) | 300 |\n")
	assert.Equal(t, 16, strings.Count(got, "\n"), "a row for each\n%s", got)
}

func TestMemoryPart(t *testing.T) {
	p := memoryPlan{legs: []int{few}, traces: []int{few}}
	all, err := p.bench(t.Context(), testCorpus(t))
	require.NoError(t, err)
	require.Len(t, all, 5)
	for _, h := range all {
		if h.object != openDialog {
			assert.GreaterOrEqual(t, h.open, few, "%s, %s", h.kind, h.object)
		}
		assert.Positive(t, h.each(), "%s, %s", h.kind, h.object)
	}
	assert.Equal(t, openDialog, all[2].object)
	assert.Less(t, all[2].open, all[0].open, "not each leg has a dialog")
	assert.Less(t, all[0].each(), all[3].each(), "a leg is not kept record by record, as a trace is")
	assert.Contains(t, p.report(all), "| callstitch, open leg | 300 | ")
}

func TestStallsPart(t *testing.T) {
	p := stallsPlan{open: few, calls: 50, batch: 10, spin: 20 * time.Millisecond, maxOpen: 2 * time.Second}
	all, err := p.bench(t.Context(), testCorpus(t))
	require.NoError(t, err)
	require.Len(t, all, 8)
	for _, one := range all {
		assert.Positive(t, one.Stalls.Calls, "%s", one.name)
		assert.Positive(t, one.Stalls.Longest, "%s", one.name)
		assert.GreaterOrEqual(t, one.Stalls.Longest, one.Stalls.Rare, "%s", one.name)
		assert.GreaterOrEqual(t, one.Stalls.Rare, one.Stalls.Median, "%s", one.name)
	}
	for _, one := range all[4:6] {
		assert.GreaterOrEqual(t, one.Open, few, "%s", one.name)
	}
	assert.Positive(t, all[6].Stored.Commits)
	assert.Contains(t, p.report(all), "| while all expire | ")
}

func TestGrowthPart(t *testing.T) {
	p := growthPlan{rounds: 1, few: 100, many: few, batches: []int{10, 50}, time: 50 * time.Millisecond, warmUp: 10 * time.Millisecond}
	costs, err := p.bench(t.Context(), testCorpus(t))
	require.NoError(t, err)
	for _, name := range []string{withFew, withMany, without} {
		for _, batch := range p.batches {
			require.Len(t, costs[runKey{name, batch}], 1, "%s, %d", name, batch)
			assert.Positive(t, costs[runKey{name, batch}][0], "%s, %d", name, batch)
		}
	}
	assert.Contains(t, p.report(costs), "| cmscdr and callstitch, 300 open | ")
}

func TestPathPart(t *testing.T) {
	p := pathPlan{rounds: 1, open: few, batch: 10, time: 50 * time.Millisecond, warmUp: 10 * time.Millisecond}
	costs, err := p.bench(t.Context(), testCorpus(t))
	require.NoError(t, err)
	for _, name := range []string{ownPath, peerPath} {
		require.Len(t, costs[name], 1, "%s", name)
		assert.Positive(t, costs[name][0], "%s", name)
	}
	assert.Contains(t, p.report(costs), "| "+ownPath+" / "+peerPath+" | <= 0.50 | ")
}

func TestStoragePart(t *testing.T) {
	p := storagePlan{rounds: 1, open: few, keys: few, time: 30 * time.Millisecond, ways: []way{{10, 1}, {10, 4}}, directory: t.TempDir()}
	results, err := p.bench(t.Context(), testCorpus(t))
	require.NoError(t, err)
	for _, way := range p.ways {
		for _, kind := range storedKinds {
			got := results[storageKey{kind, way}]
			require.Len(t, got, 1, "%s, %s", kind, way)
			assert.Positive(t, got[0].Records, "%s, %s", kind, way)
			if kind != passThrough {
				assert.Positive(t, got[0].Stored.Commits, "%s, %s", kind, way)
				assert.Positive(t, got[0].Stored.Bytes, "%s, %s", kind, way)
			}
		}
	}
	assert.Contains(t, p.report(results), "| callstitch / append log | 10, 4 at once | ")
}

func TestRestartPart(t *testing.T) {
	p := restartPlan{rounds: 1, open: few, directory: t.TempDir()}
	r, err := p.bench(t.Context(), testCorpus(t))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, r.legs, few)
	assert.Positive(t, r.killed[0])
	assert.Positive(t, r.stopped[0])
	assert.Contains(t, p.report(r), "| after a kill | 300 | ")
}

// What keeps the figures from being those of lost work.
func TestLossesAreFound(t *testing.T) {
	c := testCorpus(t)
	j, err := newLogsJob(t.Context(), setup{Kind: callstitch, Corpus: c.file, Open: 10})
	require.NoError(t, err)
	defer func() { assert.NoError(t, j.close(t.Context())) }()
	_, err = j.do(t.Context(), order{Do: "run", Count: 500})
	require.NoError(t, err)

	j.sent.Add(1)
	require.ErrorContains(t, waitDeliveredSoon(t, j), "records were delivered")
	j.sent.Add(-1)
	j.into.stamped.Add(-1)
	require.ErrorContains(t, waitDeliveredSoon(t, j), "were stamped")
	j.into.stamped.Add(1)
	j.sources[0].ended++
	require.ErrorContains(t, waitDeliveredSoon(t, j), "stitched records were delivered")
	j.sources[0].ended--
	j.into.whole.Add(-1)
	require.ErrorContains(t, waitDeliveredSoon(t, j), "are complete")
	j.into.whole.Add(1)
	require.NoError(t, waitDeliveredSoon(t, j))
}

func waitDeliveredSoon(t *testing.T, j *logsJob) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	return j.waitDelivered(ctx)
}

func TestTracesInPiecesAreFound(t *testing.T) {
	j := &spansJob{setup: setup{Kind: groupByTrace, Open: 2_000}, source: newSpanSource(2_000), wait: time.Millisecond}
	_, err := j.cycle(t.Context(), false)
	require.ErrorIs(t, err, errLate)
}

func TestWorkersTellWhatWentWrong(t *testing.T) {
	_, err := once(t.Context(), setup{Job: "spans", Kind: passThrough, Open: 10}, order{Do: "nonsense"})
	require.ErrorContains(t, err, "no such order")
	_, err = once(t.Context(), setup{Job: "nonsense"}, order{Do: "run"})
	require.ErrorContains(t, err, "no answer")
}
