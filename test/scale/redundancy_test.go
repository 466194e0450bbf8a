// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/loopback"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// everything is all rows of an archive by kind and id.
func everything(t *testing.T, source string) map[string]any {
	t.Helper()
	s, err := store.Open(t.Context(), "postgres", source)
	require.NoError(t, err)
	defer s.Close()
	all := map[string]any{}
	calls, err := store.Select[store.Call](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range calls {
		all["call "+r.ID] = r
	}
	legs, err := store.Select[store.Leg](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range legs {
		all["call_leg "+r.ID] = r
	}
	recordings, err := store.Select[store.Recording](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range recordings {
		all[r.Kind+" "+r.ID] = r
	}
	conferences, err := store.Select[store.Conference](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range conferences {
		all["conference "+r.TraceID] = r
	}
	return all
}

// sameSpan holds that two Collectors say the same of an object.
func sameSpan(t *testing.T, one, other ptrace.Span) {
	t.Helper()
	assert.Equal(t, one.TraceID(), other.TraceID())
	assert.Equal(t, one.ParentSpanID(), other.ParentSpanID())
	assert.Equal(t, one.Name(), other.Name())
	assert.Equal(t, one.StartTimestamp(), other.StartTimestamp())
	assert.Equal(t, one.EndTimestamp(), other.EndTimestamp())
	assert.Equal(t, one.Status().Code(), other.Status().Code())
	assert.Equal(t, one.Attributes().AsRaw(), other.Attributes().AsRaw())
}

// Two Collectors without anything between them are registered at each bridge, and write
// one archive. One of them is killed meanwhile. Each makes the same spans, and the
// archive has the rows that one Collector alone makes.
func TestTwoCollectors(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	alone := postgres.Shared(t).Database(t)
	var playing []*simulation
	for i := range 2 {
		listen := loopback.MustAddress(t)
		p := e.addStitcher("one-per-cluster.yaml", "", map[string]string{
			"LEGATO_LISTEN": listen, "LEGATO_MEDIASENSE_LISTEN": loopback.MustAddress(t), "LEGATO_CLUSTER": "east",
		})
		if i == 1 { // it writes an archive of its own, too
			p.write(linger() + "exporters: { callrecord/alone: { driver: postgres, datasource: \"" + alone + "\", sending_queue: { storage: file_storage } } }\n" +
				"service: { telemetry: { metrics: { level: none } }, pipelines: { logs: { exporters: [callrecord, callrecord/alone, otlp_grpc, logtospan] } } }\n")
		}
		p.start()
		// A bridge has a stream of its own for each receiver. The same seed makes the same
		// records.
		playing = append(playing, simulate(t, "http://"+listen+"/cdr", 1, either(60, 300)))
	}
	e.untilReceived(150)
	during(t, playing, "a Collector is killed", e.stitchers[0].kill)
	<-time.After(either(2*time.Second, 10*time.Second))
	e.stitchers[0].start()

	playing[0].wait()
	is := playing[1].wait()
	for _, s := range e.sinks {
		require.Eventually(t, func() bool {
			spans, _ := all([]*sink{s})
			return is.allSpans(spans)
		}, waitFor, 10*tick, "spans that have not come")
	}
	is.untilArchived(t, e.archive)
	is.untilArchived(t, alone)
	is.compareRecords(t, e.sinks[1:])
	first, _ := all(e.sinks[:1])
	second, _ := all(e.sinks[1:])
	objects := is.compareSpans(t, first)
	is.compareSpans(t, second)
	assert.ElementsMatch(t, slices.Collect(maps.Keys(first)), slices.Collect(maps.Keys(second)))
	for id, spans := range first {
		if len(second[id]) == 1 {
			sameSpan(t, spans[0], second[id][0])
		}
	}
	assert.Equal(t, everything(t, alone), everything(t, e.archive))
	t.Logf("two Collectors: %d objects, each with the same span from both and one row", objects)
}
