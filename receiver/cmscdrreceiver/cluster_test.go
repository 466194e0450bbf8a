// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/cluster/clustertest"
)

// The cluster comes from the registered URI, or from the configuration, which wins. It
// is in the resource of the records and in the client metadata of their request.
func TestClusterInMetadata(t *testing.T) {
	f := func(attributes map[string]string, query, want string) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) {
			r.Logs = sink
			r.config.QueryParameters = map[string]string{"cluster": names.Cluster}
			r.config.ResourceAttributes = attributes
		})
		require.Equal(t, http.StatusOK, r.PostTo(r.URL+query, fixture(t, "flow/post-1.xml")))
		assert.Equal(t, []string{want}, clustertest.Requests(t, sink))
	}
	east := map[string]string{names.Cluster: "east"}
	f(nil, "", "")
	f(nil, "?cluster=west&system_id=cms1", "west")
	f(east, "", "east")
	f(east, "?cluster=west", "east")
}
