// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/cluster/clustertest"
)

// The cluster is in the resource of the events and in the client metadata of their request.
func TestClusterInMetadata(t *testing.T) {
	f := func(attributes map[string]string, query, want string) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) {
			r.Logs = sink
			r.config.QueryParameters = map[string]string{"cluster": names.Cluster}
			r.config.ResourceAttributes = attributes
		})
		require.Equal(t, http.StatusOK, r.PostTo(r.URL+query, fixture(t, "session-ended.json")))
		assert.Equal(t, []string{want}, clustertest.Requests(t, sink))
	}
	f(nil, "", "")
	f(nil, "?cluster=west", "west")
	f(map[string]string{names.Cluster: "east"}, "?cluster=west", "east")
}
