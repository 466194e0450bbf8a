// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"

	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/meetingserver/callbridge"
	"github.com/legato-otel/legato/internal/names"
)

// resource is the Call Bridge run a body came from.
type resource struct {
	serviceInstance string
	session         string
	callBridge      string
	client          string
	extra           []pair // unknown attributes of <records>
	parameters      []pair // from the query
	static          map[string]string
}

type pair struct{ key, value string }

// resourceBuilder knows what the configuration adds to a resource.
type resourceBuilder struct {
	parameters []pair // query parameter and attribute
	static     map[string]string
}

func (b resourceBuilder) build(in *intake, req webhook.Request) resource {
	r := resource{client: req.Address, static: b.static}
	system := in.said.System
	if !in.batch.Unreadable {
		r.session = clip(in.batch.Session)
		r.callBridge, system = callbridge.ID(in.post.Identity.Bridge), in.post.Identity.System
	}
	r.serviceInstance = callbridge.Identity{CallBridge: r.callBridge, Session: r.session}.InstanceID()
	for _, p := range b.parameters {
		value := system
		if p.key != systemIDParameter {
			value = clip(req.Query.Get(p.key))
		}
		if value != "" {
			r.parameters = append(r.parameters, pair{p.value, value})
		}
	}
	for i := range in.batch.Attributes {
		f := &in.batch.Attributes[i]
		r.extra = append(r.extra, pair{clip(names.MeetingServerAttribute("", f.Path)), clip(withoutUnknownSecret(f))})
	}
	return r
}

// put writes the resource of log records.
func (r *resource) put(m pcommon.Map) {
	m.EnsureCapacity(6 + len(r.extra) + len(r.parameters) + len(r.static))
	m.PutStr(names.ServiceName, names.MeetingServerService)
	putIfSet(m, names.ServiceInstanceID, r.serviceInstance)
	putIfSet(m, names.SessionID, r.session)
	putIfSet(m, names.CallBridgeID, r.callBridge)
	putIfSet(m, names.ClientAddress, r.client)
	for _, p := range r.extra {
		m.PutStr(p.key, p.value)
	}
	for _, p := range r.parameters {
		m.PutStr(p.key, p.value)
	}
	for key, value := range r.static {
		m.PutStr(key, value)
	}
}

// set is the resource of metrics. It leaves out what changes while the bridge
// stays the same, its session if it has another name, and the address.
func (r *resource) set() attribute.Set {
	attributes := make([]attribute.KeyValue, 0, 4+len(r.parameters)+len(r.static))
	attributes = append(attributes, attribute.String(names.ServiceName, names.MeetingServerService))
	if r.serviceInstance != "" {
		attributes = append(attributes, attribute.String(names.ServiceInstanceID, r.serviceInstance))
	}
	if r.callBridge != "" {
		attributes = append(attributes, attribute.String(names.CallBridgeID, r.callBridge))
	}
	for _, p := range r.parameters {
		attributes = append(attributes, attribute.String(p.key, p.value))
	}
	for key, value := range r.static {
		attributes = append(attributes, attribute.String(key, value))
	}
	return attribute.NewSet(attributes...)
}

func putIfSet(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, value)
	}
}
