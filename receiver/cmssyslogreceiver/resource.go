// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"

	"github.com/legato-otel/legato/internal/names"
)

// bridge identifies a Call Bridge by the host in its lines and the address of the sender.
type bridge struct {
	host, peer string
}

// resource is the resource of a bridge, the same in every signal.
type resource struct {
	attributes []attribute.KeyValue // sorted
	named      bool                 // the bridge is in servers
	cluster    string               // as the configuration says
}

// resources creates the resources of bridges, and caches at most maxResources of them.
type resources struct {
	common  map[string]string
	servers map[string]*ServerConfig // by host, in lower case
	cache   map[bridge]*resource
	// hasClusters is true if servers has a bridge with a cluster.
	hasClusters bool
}

// maxResources is the size of the cache. A stranger who invents hosts only empties it.
const maxResources = 1024

func newResources(config *Config) *resources {
	r := &resources{common: config.ResourceAttributes, servers: make(map[string]*ServerConfig), cache: make(map[bridge]*resource)}
	for i := range config.Servers {
		r.servers[strings.ToLower(config.Servers[i].Host)] = &config.Servers[i]
		r.hasClusters = r.hasClusters || config.Servers[i].ResourceAttributes[names.Cluster] != ""
	}
	return r
}

// resourceOf returns the resource of a bridge.
func (r *resources) resourceOf(b bridge) *resource {
	if known := r.cache[b]; known != nil {
		return known
	}
	if len(r.cache) >= maxResources {
		clear(r.cache)
	}
	b = bridge{strings.Clone(b.host), strings.Clone(b.peer)}
	fresh := r.build(b)
	r.cache[b] = fresh
	return fresh
}

// build creates a resource. The identity is the call_bridge in servers, else the host in the
// lines, else the address of the sender.
func (r *resources) build(b bridge) *resource {
	server := r.servers[strings.ToLower(b.host)]
	if server == nil {
		server = r.servers[strings.ToLower(b.peer)]
	}
	values := map[string]string{names.ServiceName: names.MeetingServerService, names.HostName: validUTF8(b.host), names.ClientAddress: validUTF8(b.peer)}
	values[names.ServiceInstanceID] = values[names.HostName]
	if b.host == "" {
		values[names.ServiceInstanceID] = values[names.ClientAddress]
	}
	if server != nil && server.CallBridge != "" {
		values[names.ServiceInstanceID], values[names.CallBridgeID] = server.CallBridge, server.CallBridge
	}
	maps.Copy(values, r.common)
	if server != nil {
		maps.Copy(values, server.ResourceAttributes)
	}
	fresh := &resource{named: server != nil, cluster: values[names.Cluster]}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if values[key] != "" {
			fresh.attributes = append(fresh.attributes, attribute.String(key, values[key]))
		}
	}
	return fresh
}

// putTo writes the attributes of a log resource.
func (r *resource) putTo(m pcommon.Map) {
	m.EnsureCapacity(len(r.attributes))
	for _, kv := range r.attributes {
		m.PutStr(string(kv.Key), kv.Value.AsString())
	}
}

// metricAttributes returns the attributes of a metric resource: all but the address of the
// sender, which a relay may change.
func (r *resource) metricAttributes() attribute.Set {
	var kept []attribute.KeyValue
	for _, kv := range r.attributes {
		if kv.Key != names.ClientAddress {
			kept = append(kept, kv)
		}
	}
	return attribute.NewSet(kept...)
}

// validUTF8 returns text as UTF-8, which OTLP requires.
func validUTF8(text string) string { return strings.ToValidUTF8(text, "\ufffd") }
