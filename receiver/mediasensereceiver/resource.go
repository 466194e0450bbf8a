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

// resourceBuilder builds resources with the configured attributes.
type resourceBuilder struct {
	parameters []pair // query parameter and attribute
	configured map[string]string
}

type pair struct{ key, value string }

func newResourceBuilder(config *Config) resourceBuilder {
	b := resourceBuilder{configured: config.ResourceAttributes}
	for _, parameter := range slices.Sorted(maps.Keys(config.QueryParameters)) {
		b.parameters = append(b.parameters, pair{parameter, config.QueryParameters[parameter]})
	}
	return b
}

// maxNameBytes bounds the stored name of a query parameter, a node or a partition.
const maxNameBytes = 128

// clipName returns a name as it is stored: short, and valid UTF-8.
func clipName(name string) string { return clipText(name, maxNameBytes) }

// clipText returns at most limit bytes of text, as valid UTF-8.
func clipText(text string, limit int) string {
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}

// resource describes the sender of a body, with its attributes in order.
type resource struct{ attributes []pair }

// build returns the resource of the sender of a request.
func (b resourceBuilder) build(req *webhook.Request) resource {
	r := resource{make([]pair, 0, 4+len(b.parameters)+len(b.configured))}
	r.setAttribute(names.ServiceName, names.MediaSenseService)
	r.setAttribute(names.ServiceInstanceID, req.ClientAddress)
	r.setAttribute(names.ServerAddress, req.ClientAddress)
	r.setAttribute(names.ClientAddress, req.ClientAddress)
	for _, p := range b.parameters {
		r.setAttribute(p.value, clipName(req.Query.Get(p.key)))
	}
	for key, value := range b.configured {
		r.setAttribute(key, value)
	}
	return r
}

func (r *resource) setAttribute(key, value string) {
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

// putLogResource writes the resource of log records.
func (r *resource) putLogResource(m pcommon.Map) {
	m.EnsureCapacity(len(r.attributes))
	for _, p := range r.attributes {
		m.PutStr(p.key, p.value)
	}
}

// metricResource returns the resource of the metrics of one server. It omits the client and
// server address; service.instance.id has the address, unless configured otherwise.
func (r *resource) metricResource() attribute.Set {
	var attributes []attribute.KeyValue
	for _, p := range r.attributes {
		if p.key != names.ClientAddress && p.key != names.ServerAddress {
			attributes = append(attributes, attribute.String(p.key, p.value))
		}
	}
	return attribute.NewSet(attributes...)
}

// expectedResources returns the metric resources of named servers with known addresses.
// With query parameters only a request shows the resource.
func (b resourceBuilder) expectedResources(named *namedSenders) (all []attribute.Set) {
	if named == nil || len(b.parameters) > 0 {
		return nil
	}
	for address := range *named.addresses.Load() {
		r := b.build(&webhook.Request{ClientAddress: address.String()})
		all = append(all, r.metricResource())
	}
	return all
}

// clusterResource returns the resource of the metrics of partitions. Each server reports all
// partitions, so it does not depend on the sender.
func (b resourceBuilder) clusterResource() attribute.Set {
	attributes := []attribute.KeyValue{attribute.String(names.ServiceName, names.MediaSenseService)}
	for key, value := range b.configured {
		attributes = append(attributes, attribute.String(key, value))
	}
	return attribute.NewSet(attributes...)
}
