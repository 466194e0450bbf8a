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

// bridge is a Call Bridge as its lines name it.
type bridge struct {
	host, peer string
}

// resource is what a bridge is called in every signal.
type resource struct {
	attributes []attribute.KeyValue // sorted
	named      bool                 // by servers
	cluster    string               // as the configuration says
}

// resources knows what the configuration makes of a bridge. It holds the resources of
// at most maxResources bridges.
type resources struct {
	all     map[string]string
	servers map[string]*ServerConfig // by host, in lower case
	held    map[bridge]*resource
	// clustered is set if some bridge may have a cluster.
	clustered bool
}

// maxResources is how many bridges have a resource that is kept. A stranger who makes
// up hosts makes it built anew.
const maxResources = 256

func newResources(config *Config) *resources {
	r := &resources{all: config.ResourceAttributes, servers: make(map[string]*ServerConfig), held: make(map[bridge]*resource)}
	for i := range config.Servers {
		r.servers[strings.ToLower(config.Servers[i].Host)] = &config.Servers[i]
		r.clustered = r.clustered || config.Servers[i].ResourceAttributes[names.Cluster] != ""
	}
	return r
}

// of returns the resource of a bridge.
func (r *resources) of(b bridge) *resource {
	if known := r.held[b]; known != nil {
		return known
	}
	if len(r.held) >= maxResources {
		clear(r.held)
	}
	b = bridge{strings.Clone(b.host), strings.Clone(b.peer)}
	fresh := r.build(b)
	r.held[b] = fresh
	return fresh
}

// build makes the resource: the bridge is what servers say, else the host of its
// lines, else the address that they come from.
func (r *resources) build(b bridge) *resource {
	server := r.servers[strings.ToLower(b.host)]
	if server == nil {
		server = r.servers[strings.ToLower(b.peer)]
	}
	values := map[string]string{names.ServiceName: names.MeetingServerService, names.HostName: valid(b.host), names.ClientAddress: valid(b.peer)}
	values[names.ServiceInstanceID] = values[names.HostName]
	if b.host == "" {
		values[names.ServiceInstanceID] = values[names.ClientAddress]
	}
	if server != nil && server.CallBridge != "" {
		values[names.ServiceInstanceID], values[names.CallBridgeID] = server.CallBridge, server.CallBridge
	}
	maps.Copy(values, r.all)
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

// put writes the resource of log records.
func (r *resource) put(m pcommon.Map) {
	m.EnsureCapacity(len(r.attributes))
	for _, kv := range r.attributes {
		m.PutStr(string(kv.Key), kv.Value.AsString())
	}
}

// set is the resource of metrics: without the address that lines come from, which a
// relay may change.
func (r *resource) set() attribute.Set {
	var kept []attribute.KeyValue
	for _, kv := range r.attributes {
		if kv.Key != names.ClientAddress {
			kept = append(kept, kv)
		}
	}
	return attribute.NewSet(kept...)
}

// valid returns text as UTF-8, which OTLP asks for.
func valid(text string) string { return strings.ToValidUTF8(text, "\ufffd") }
