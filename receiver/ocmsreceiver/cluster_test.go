// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/cluster/clustertest"
)

// The cluster is in the resource of the events and in the client metadata of their request.
func TestClusterInMetadata(t *testing.T) {
	f := func(attributes map[string]string, want string) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) {
			r.Logs = sink
			r.config.ResourceAttributes = attributes
			r.write("events.log", events(0, 3))
		})
		r.eventually(sink, callIDsOf(0, 3))
		for _, got := range clustertest.Requests(t, sink) {
			assert.Equal(t, want, got)
		}
	}
	f(nil, "")
	f(map[string]string{names.Cluster: "east"}, "east")
}
