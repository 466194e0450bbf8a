// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/cluster/clustertest"
)

// The cluster of each server is in the resource of its records and in the client
// metadata of their requests.
func TestClusterInMetadata(t *testing.T) {
	runInBubble(t, 3, func(r *harness) {
		r.config.ResourceAttributes = map[string]string{names.Cluster: "east"}
		r.config.Servers[1].ResourceAttributes = map[string]string{names.Cluster: "west"}
	}, func(r *harness) {
		for _, b := range r.bridges {
			addCalls(b, 1, 1)
		}
		r.wait(time.Minute)
		requests := map[string]int{}
		for _, name := range clustertest.Requests(r.T, r.sink) {
			requests[name]++
		}
		require.Len(r.T, requests, 2)
		assert.GreaterOrEqual(r.T, requests["east"], 2, "of two servers")
		assert.GreaterOrEqual(r.T, requests["west"], 1)
	})
}
