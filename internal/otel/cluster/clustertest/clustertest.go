// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package clustertest holds receivers to the contract of package cluster.
package clustertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/otel/cluster"
)

// Requests returns the cluster in the client metadata of each request that a sink got,
// "" for one without. It fails the test if the resources of a request differ from it.
func Requests(t *testing.T, sink *consumertest.LogsSink) (clusters []string) {
	t.Helper()
	contexts := sink.Contexts()
	for i, logs := range sink.AllLogs() {
		require.Less(t, i, len(contexts))
		name := ""
		if values := client.FromContext(contexts[i]).Metadata.Get(cluster.MetadataKey); len(values) > 0 {
			name = values[0]
		}
		for _, rl := range logs.ResourceLogs().All() {
			attribute, found := rl.Resource().Attributes().Get(cluster.MetadataKey)
			if assert.Equal(t, name != "", found, "the resource of request %d has a cluster", i) && found {
				assert.Equal(t, name, attribute.AsString(), "the resource of request %d", i)
			}
		}
		clusters = append(clusters, name)
	}
	return clusters
}
