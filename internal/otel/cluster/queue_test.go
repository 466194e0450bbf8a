// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/testkit"
)

// exported is what reached the end of an exporter.
type exported struct {
	mu       sync.Mutex
	refuse   bool
	tries    int
	clusters map[string][]int64 // numbers of records, by the cluster of the metadata
}

func (e *exported) push(ctx context.Context, logs plog.Logs) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tries++
	if e.refuse {
		return errors.New("the backend is down")
	}
	key := "-"
	if values := client.FromContext(ctx).Metadata.Get(MetadataKey); len(values) > 0 {
		key = values[0]
	}
	_, records := clustersOf(logs)
	e.clusters[key] = append(e.clusters[key], records...)
	return nil
}

func (e *exported) refused() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tries > 0
}

// records returns the numbers of the records that arrived, sorted, by cluster.
func (e *exported) records() map[string][]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := maps.Clone(e.clusters)
	for key := range all {
		all[key] = slices.Sorted(slices.Values(all[key]))
	}
	return all
}

// host has one storage extension.
type host struct {
	id      component.ID
	storage component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{h.id: h.storage}
}

// queued returns a started exporter with a queue in a storage, whose batches are
// divided by the cluster, as config/scale/kafka-edge.yaml has it.
func queued(t *testing.T, storage *testkit.Storage, to *exported, batches bool) exporter.Logs {
	t.Helper()
	id := component.MustNewID("storage")
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.StorageID = &id
	if batches {
		batch := exporterhelper.BatchConfig{FlushTimeout: 10 * time.Millisecond, MinSize: 1000, Sizer: exporterhelper.RequestSizerTypeItems}
		batch.Partition.MetadataKeys = []string{MetadataKey}
		queue.Batch = configoptional.Some(batch)
	}
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0
	e, err := exporterhelper.NewLogs(t.Context(), exportertest.NewNopSettings(component.MustNewType("test")), struct{}{}, to.push,
		exporterhelper.WithQueue(configoptional.Some(queue)), exporterhelper.WithRetry(retry))
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), host{id, storage}))
	return e
}

// The queue of the Collector keeps the client metadata of a request in its storage: it
// is there after a restart, and divides batches.
func TestQueueKeepsCluster(t *testing.T) {
	for name, batches := range map[string]bool{"requests": false, "batches": true} {
		t.Run(name, func(t *testing.T) {
			storage := testkit.NewStorage()
			down := &exported{refuse: true}
			before := queued(t, storage, down, batches)
			for i, clusters := range []string{"east", "west", "east", "-"} {
				logs := logsOf(clusters)
				logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetInt(int64(i))
				require.NoError(t, before.ConsumeLogs(WithMetadata(t.Context(), logs), logs))
			}
			require.Eventually(t, down.refused, 10*time.Second, time.Millisecond)
			require.NoError(t, before.Shutdown(t.Context()))

			up := &exported{clusters: map[string][]int64{}}
			after := queued(t, storage, up, batches)
			want := map[string][]int64{"east": {0, 2}, "west": {1}, "-": {3}}
			assert.EventuallyWithT(t, func(c *assert.CollectT) { assert.Equal(c, want, up.records()) }, 10*time.Second, time.Millisecond)
			require.NoError(t, after.Shutdown(t.Context()))
		})
	}
}
