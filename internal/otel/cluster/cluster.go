// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// MetadataKey is the key in the client metadata of a request. Keys of client metadata
// are in lower case, as this one is.
const MetadataKey = names.Cluster

// Of returns the cluster that all resources of logs have. It is empty if a resource has
// none, or another one.
func Of(logs plog.Logs) string {
	resources := logs.ResourceLogs()
	if resources.Len() == 0 {
		return ""
	}
	first := of(resources.At(0))
	for i := 1; i < resources.Len() && first != ""; i++ {
		if of(resources.At(i)) != first {
			return ""
		}
	}
	return first
}

func of(resource plog.ResourceLogs) string {
	value, found := resource.Resource().Attributes().Get(names.Cluster)
	if !found {
		return ""
	}
	return value.AsString()
}

// WithMetadata returns ctx with the cluster of logs added to its client metadata. It returns ctx
// itself if logs are of no cluster, or of several.
func WithMetadata(ctx context.Context, logs plog.Logs) context.Context {
	name := Of(logs)
	if name == "" {
		return ctx
	}
	info := client.FromContext(ctx)
	metadata := map[string][]string{}
	for key := range info.Metadata.Keys() {
		metadata[key] = info.Metadata.Get(key)
	}
	metadata[MetadataKey] = []string{name}
	info.Metadata = client.NewMetadata(metadata)
	return client.NewContext(ctx, info)
}

// Alone reports whether the client metadata of ctx has no key but that of the cluster.
func Alone(ctx context.Context) bool {
	for key := range client.FromContext(ctx).Metadata.Keys() {
		if key != MetadataKey {
			return false
		}
	}
	return true
}

// Split returns the resources of logs, those of one cluster together, in the order in
// which the clusters appear. It moves them out of logs unless all are of one cluster.
func Split(logs plog.Logs) []plog.Logs {
	resources := logs.ResourceLogs()
	if resources.Len() < 2 || Of(logs) != "" {
		return []plog.Logs{logs}
	}
	var parts []plog.Logs
	indexes := map[string]int{}
	for i := range resources.Len() {
		name := of(resources.At(i))
		at, known := indexes[name]
		if !known {
			at = len(parts)
			indexes[name] = at
			parts = append(parts, plog.NewLogs())
		}
		resources.At(i).MoveTo(parts[at].ResourceLogs().AppendEmpty())
	}
	return parts
}
