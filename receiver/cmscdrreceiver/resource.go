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

// resource describes the sender of a body: one run of a Call Bridge.
type resource struct {
	serviceInstanceID string
	session           string
	callBridge        string
	clientAddress     string
	rootAttributes    []pair // unknown attributes of <records>
	parameters        []pair // from the query
	configured        map[string]string
}

type pair struct{ key, value string }

// resourceBuilder builds resources with the configured attributes.
type resourceBuilder struct {
	mappedParameters []pair // query parameter and attribute
	configured       map[string]string
}

func (rb resourceBuilder) build(b *batch, req webhook.Request) resource {
	r := resource{clientAddress: req.ClientAddress, configured: rb.configured}
	system := b.statedIdentity.System
	if !b.decoded.Unreadable {
		r.session = clipName(b.decoded.Session)
		r.callBridge, system = callbridge.ID(b.requestInfo.Identity.Bridge), b.requestInfo.Identity.System
	}
	r.serviceInstanceID = callbridge.Identity{CallBridge: r.callBridge, Session: r.session}.InstanceID()
	for _, p := range rb.mappedParameters {
		value := system
		if p.key != systemIDParameter {
			value = clipName(req.Query.Get(p.key))
		}
		if value != "" {
			r.parameters = append(r.parameters, pair{p.value, value})
		}
	}
	for i := range b.decoded.Attributes {
		f := &b.decoded.Attributes[i]
		r.rootAttributes = append(r.rootAttributes, pair{clipName(names.MeetingServerAttribute("", f.Path)), clipName(redactUnknownField(f))})
	}
	return r
}

// putLogResource writes the resource of log records.
func (r *resource) putLogResource(m pcommon.Map) {
	m.EnsureCapacity(6 + len(r.rootAttributes) + len(r.parameters) + len(r.configured))
	m.PutStr(names.ServiceName, names.MeetingServerService)
	putIfSet(m, names.ServiceInstanceID, r.serviceInstanceID)
	putIfSet(m, names.SessionID, r.session)
	putIfSet(m, names.CallBridgeID, r.callBridge)
	putIfSet(m, names.ClientAddress, r.clientAddress)
	for _, p := range r.rootAttributes {
		m.PutStr(p.key, p.value)
	}
	for _, p := range r.parameters {
		m.PutStr(p.key, p.value)
	}
	for key, value := range r.configured {
		m.PutStr(key, value)
	}
}

// metricResource returns the resource of metrics. It omits attributes that change while the
// Call Bridge stays the same: the address and, if the bridge has a name, the session.
func (r *resource) metricResource() attribute.Set {
	attributes := make([]attribute.KeyValue, 0, 4+len(r.parameters)+len(r.configured))
	attributes = append(attributes, attribute.String(names.ServiceName, names.MeetingServerService))
	if r.serviceInstanceID != "" {
		attributes = append(attributes, attribute.String(names.ServiceInstanceID, r.serviceInstanceID))
	}
	if r.callBridge != "" {
		attributes = append(attributes, attribute.String(names.CallBridgeID, r.callBridge))
	}
	for _, p := range r.parameters {
		attributes = append(attributes, attribute.String(p.key, p.value))
	}
	for key, value := range r.configured {
		attributes = append(attributes, attribute.String(key, value))
	}
	return attribute.NewSet(attributes...)
}

func putIfSet(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, value)
	}
}
