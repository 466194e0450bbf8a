// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"

	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/names"
)

// resourceBuilder knows what the configuration makes of who posted.
type resourceBuilder struct {
	parameters []pair // query parameter and attribute
	static     map[string]string
}

type pair struct{ key, value string }

func newResourceBuilder(config *Config) resourceBuilder {
	b := resourceBuilder{static: config.ResourceAttributes}
	for _, parameter := range slices.Sorted(maps.Keys(config.QueryParameters)) {
		b.parameters = append(b.parameters, pair{parameter, config.QueryParameters[parameter]})
	}
	return b
}

// maxNameLength bounds what is kept of a name from a query, a node or a
// partition.
const maxNameLength = 128

// clip makes a name fit to be kept: short, and UTF-8.
func clip(name string) string { return clipTo(name, maxNameLength) }

// clipTo returns at most limit bytes of text, as UTF-8.
func clipTo(text string, limit int) string {
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}

// resource is the server that a body came from, with its attributes in order.
type resource struct{ attributes []pair }

// build returns the resource of who posted.
func (b resourceBuilder) build(req *webhook.Request) resource {
	r := resource{make([]pair, 0, 4+len(b.parameters)+len(b.static))}
	r.set(names.ServiceName, names.MediaSenseService)
	r.set(names.ServiceInstanceID, req.Address)
	r.set(names.ServerAddress, req.Address)
	r.set(names.ClientAddress, req.Address)
	for _, p := range b.parameters {
		r.set(p.value, clip(req.Query.Get(p.key)))
	}
	for key, value := range b.static {
		r.set(key, value)
	}
	return r
}

func (r *resource) set(key, value string) {
	if value == "" {
		return
	}
	for i := range r.attributes {
		if r.attributes[i].key == key {
			r.attributes[i].value = value
			return
		}
	}
	r.attributes = append(r.attributes, pair{key, value})
}

// put writes the resource of log records.
func (r *resource) put(m pcommon.Map) {
	m.EnsureCapacity(len(r.attributes))
	for _, p := range r.attributes {
		m.PutStr(p.key, p.value)
	}
}

// sender is the resource of metrics about what one server does: without the
// address that it posts from, unless that is its name.
func (r *resource) sender() attribute.Set {
	var attributes []attribute.KeyValue
	for _, p := range r.attributes {
		if p.key != names.ClientAddress && p.key != names.ServerAddress {
			attributes = append(attributes, attribute.String(p.key, p.value))
		}
	}
	return attribute.NewSet(attributes...)
}

// expected are the resources of metrics of servers with known addresses. With query
// parameters only a post tells the resource.
func (b resourceBuilder) expected(named *senders) (all []attribute.Set) {
	if named == nil || len(b.parameters) > 0 {
		return nil
	}
	for address := range *named.addresses.Load() {
		r := b.build(&webhook.Request{Address: address.String()})
		all = append(all, r.sender())
	}
	return all
}

// cluster is the resource of metrics about the disks, of which each server
// tells: nothing in it depends on who posted.
func (b resourceBuilder) cluster() attribute.Set {
	attributes := []attribute.KeyValue{attribute.String(names.ServiceName, names.MediaSenseService)}
	for key, value := range b.static {
		attributes = append(attributes, attribute.String(key, value))
	}
	return attribute.NewSet(attributes...)
}
