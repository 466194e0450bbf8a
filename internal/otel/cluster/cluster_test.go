// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// logsOf makes logs with a resource of each cluster; "-" is a resource without one.
func logsOf(clusters ...string) plog.Logs {
	logs := plog.NewLogs()
	for i, name := range clusters {
		rl := logs.ResourceLogs().AppendEmpty()
		if name != "-" {
			rl.Resource().Attributes().PutStr(names.Cluster, name)
		}
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetInt(int64(i))
	}
	return logs
}

// clustersOf returns the clusters of the resources, and the numbers of their records.
func clustersOf(logs plog.Logs) (clusters []string, records []int64) {
	for _, rl := range logs.ResourceLogs().All() {
		name, found := rl.Resource().Attributes().Get(names.Cluster)
		text := "-"
		if found {
			text = name.Str()
		}
		clusters = append(clusters, text)
		records = append(records, rl.ScopeLogs().At(0).LogRecords().At(0).Body().Int())
	}
	return clusters, records
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		clusters []string
		want     string
	}{
		{nil, ""},
		{[]string{"-"}, ""},
		{[]string{"east"}, "east"},
		{[]string{"east", "east"}, "east"},
		{[]string{"east", "west"}, ""},
		{[]string{"east", "-"}, ""},
		{[]string{"-", "east"}, ""},
		{[]string{""}, ""},
	} {
		assert.Equal(t, c.want, Of(logsOf(c.clusters...)), "%q", c.clusters)
	}
}

// The cluster comes beside what a request has, and in place of what a sender claims.
func TestContext(t *testing.T) {
	address := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1)}
	ctx := client.NewContext(t.Context(), client.Info{Addr: address, Metadata: client.NewMetadata(map[string][]string{
		"tenant": {"a", "b"}, MetadataKey: {"forged"},
	})})

	info := client.FromContext(WithMetadata(ctx, logsOf("east")))
	assert.Equal(t, address, info.Addr)
	assert.Equal(t, []string{"a", "b"}, info.Metadata.Get("tenant"))
	assert.Equal(t, []string{"east"}, info.Metadata.Get(MetadataKey))

	assert.Equal(t, ctx, WithMetadata(ctx, logsOf("east", "west")), "logs of two clusters")
	assert.Equal(t, ctx, WithMetadata(ctx, logsOf("-")), "logs of none")
}

func TestAlone(t *testing.T) {
	f := func(want bool, metadata map[string][]string) {
		t.Helper()
		assert.Equal(t, want, Alone(client.NewContext(t.Context(), client.Info{Metadata: client.NewMetadata(metadata)})))
	}
	f(true, nil)
	f(true, map[string][]string{MetadataKey: {"east"}})
	f(false, map[string][]string{"tenant": {"a"}})
	f(false, map[string][]string{MetadataKey: {"east"}, "tenant": {"a"}})
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		clusters []string
		want     [][]string
		records  [][]int64
	}{
		{[]string{"east"}, [][]string{{"east"}}, [][]int64{{0}}},
		{[]string{"east", "east"}, [][]string{{"east", "east"}}, [][]int64{{0, 1}}},
		{[]string{"east", "-", "west", "east", "-"}, [][]string{{"east", "east"}, {"-", "-"}, {"west"}}, [][]int64{{0, 3}, {1, 4}, {2}}},
	} {
		var clusters [][]string
		var records [][]int64
		for _, part := range Split(logsOf(c.clusters...)) {
			got, numbers := clustersOf(part)
			clusters, records = append(clusters, got), append(records, numbers)
		}
		assert.Equal(t, c.want, clusters)
		assert.Equal(t, c.records, records)
	}
}
