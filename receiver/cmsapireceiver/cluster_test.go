// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/cluster/clustertest"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// The events of a scrape go on in a request for each cluster, which has the cluster in
// its client metadata.
func TestClusterInMetadata(t *testing.T) {
	config := createDefaultConfig().(*Config)
	var servers []any
	for _, cluster := range []string{"east", "west", "east"} {
		b := newBridge(t)
		b.answers["/calls"] = twoCalls
		servers = append(servers, map[string]any{
			"endpoint": b.server.URL, "username": username, "password": password, "tls": map[string]any{"insecure": true},
			"resource_attributes": map[string]any{names.Cluster: cluster},
		})
	}
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"servers": servers, "discover": false, "initial_delay": "0s"}).Unmarshal(config))
	sink := new(consumertest.LogsSink)
	logs, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), config, sink)
	require.NoError(t, err)
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return len(sink.AllLogs()) >= 2 }, 10*time.Second, time.Millisecond)
	require.NoError(t, logs.Shutdown(context.WithoutCancel(t.Context())))
	assert.ElementsMatch(t, []string{"east", "west"}, clustertest.Requests(t, sink)[:2])
}
