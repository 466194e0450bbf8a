// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// A third stitcher takes over clusters whose meetings are running. State does not follow:
// the old stitcher waits for ends that the new one gets. No record is lost, the rows of
// the archive say when everything began and ended, and what is repeated or partial is
// counted for docs/scale.md.
func TestRebalanceDuringMeetings(t *testing.T) {
	if !long {
		t.Skip("part of make scale")
	}
	t.Parallel()
	e := newEstate(t)
	var hostnames []string
	add := func() {
		address := loopback.MustAddress(t)
		hostnames = append(hostnames, address)
		p := e.addStitcher("lb-stitcher.yaml", "", map[string]string{"LEGATO_OTLP_LISTEN": address})
		p.override("processors: { callstitch: { linger: 8s, max_open: 1m } }\n")
		p.start()
	}
	add()
	add()
	e.addEdge("lb-edge.yaml", "", map[string]string{"LEGATO_STITCHERS": list(hostnames)})
	future := append([]string{}, hostnames...)
	future = append(future, loopback.MustAddress(t))
	before, after := ringOf(hostnames), ringOf(future)
	moves := func(name string) int {
		if after(name) == 2 && before(name) != 2 {
			return 1
		}
		return 0
	}
	clusters := clustersFor(t, 2, moves)
	playing := e.play(clusters, 100)
	e.untilReceived(1500)
	hostnames = future
	p := e.addStitcher("lb-stitcher.yaml", "", map[string]string{"LEGATO_OTLP_LISTEN": future[2]})
	p.override("processors: { callstitch: { linger: 8s, max_open: 1m } }\n")
	p.start()
	during(t, playing, "the edges know a third stitcher", e.edges[0].stop)
	e.edges[0].environment["LEGATO_STITCHERS"] = list(hostnames)
	e.edges[0].start()

	var truths []*truth
	moved := map[*truth]bool{}
	for i, s := range playing {
		is := s.wait()
		truths = append(truths, is)
		moved[is] = moves(clusters[i]) == 1
	}
	<-time.After(90 * time.Second) // max_open has passed for all that the old stitcher holds
	var objects, twice, outcomes, times int
	got := rows(t, e.archive)
	spans, _ := all(e.sinks)
	for _, is := range truths {
		is.compareRecords(t, e.sinks)
		if !moved[is] {
			is.compareSpans(t, spans)
			continue
		}
		for kind, lives := range is.lives() {
			for _, l := range lives {
				objects++
				all := spans[spanOf(kind, l.ID)]
				assert.NotEmpty(t, all, "spans of %s %s", kind, l.ID)
				if len(all) > 1 {
					twice++
				}
				row := got[kind+" "+l.ID]
				assert.Equal(t, store.StateEnded, row.State)
				if row.Outcome != l.Outcome {
					outcomes++
				}
				if !row.StartedAt.Equal(l.Start) || l.End != nil && !row.EndedAt.Equal(*l.End) {
					times++
				}
			}
		}
	}
	require.NotZero(t, objects)
	t.Logf("rebalance during meetings: of %d objects of the clusters that moved, %d have two spans; of their rows %d have another outcome than the truth, %d another start or end",
		objects, twice, outcomes, times)
}
