// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/cluster/clustertest"
)

// Records of bridges of several clusters go on in requests of one cluster each, though
// their lines came mixed. Each request has the cluster in its client metadata.
func TestClusterInMetadata(t *testing.T) {
	var lines strings.Builder
	for range 5 {
		for _, host := range []string{"east-1", "west-1", "east-2", "none"} {
			lines.WriteString(strings.Replace(head, "cms-n1", host, 1) + "text\n")
		}
	}
	in := func(name string) map[string]string { return map[string]string{names.Cluster: name} }
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.MaxBatchRecords = 4
		r.config.Servers = []ServerConfig{
			{Host: "east-1", ResourceAttributes: in("east")},
			{Host: "east-2", ResourceAttributes: in("east")},
			{Host: "west-1", ResourceAttributes: in("west")},
		}
		r.file(lines.String())
	})
	wait(t, sink, 20)
	records := map[string]int{}
	for i, name := range clustertest.Requests(t, sink) {
		n := sink.AllLogs()[i].LogRecordCount()
		assert.LessOrEqual(t, n, r.config.MaxBatchRecords)
		records[name] += n
	}
	assert.Equal(t, map[string]int{"east": 10, "west": 5, "": 5}, records)
}
