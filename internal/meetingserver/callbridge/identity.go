// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package callbridge has the rule by which every component identifies a Call Bridge, so that
// its records, events and metrics have the same resource in every backend. docs/identity.md
// documents the rule; TestOneName checks it. The package has no state.
package callbridge

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"

	"github.com/legato-otel/legato/internal/names"
)

// Identity has the identifiers of a Call Bridge. Each component sets those that its source
// provides.
type Identity struct {
	// CallBridge is the GUID of the bridge in its cluster: callBridge of call detail
	// records, and the id of its own entry in /callBridges of the API. It is "" for a
	// server without a cluster.
	CallBridge string
	// Session is the session of call detail records, which identifies a server without a
	// cluster until it restarts.
	Session string
	// Address is host and port of the API, which identify a server without a cluster in
	// components that scrape it.
	Address string
}

// maxID is the longest id that is kept, in bytes. GUIDs have 36.
const maxID = 128

// guidLength is the length of a GUID, 8-4-4-4-12 digits.
const guidLength = 36

// ID returns an id in the form that every component writes. GUIDs compare without regard to
// case, so they are in lower case.
func ID(text string) string {
	text = strings.TrimSpace(text)
	text = text[:min(len(text), maxID)]
	if len(text) == guidLength && strings.Trim(text, "0123456789abcdefABCDEF-") == "" {
		return strings.ToLower(text)
	}
	return strings.ToValidUTF8(text, "")
}

// InstanceID returns the service.instance.id: the id in the cluster, else the session, else the
// address.
func (i Identity) InstanceID() string {
	switch {
	case i.CallBridge != "":
		return ID(i.CallBridge)
	case i.Session != "":
		return i.Session
	default:
		return i.Address
	}
}

// Attributes returns the attributes that identify the bridge in a resource.
func (i Identity) Attributes() []attribute.KeyValue {
	all := []attribute.KeyValue{attribute.String(names.ServiceName, names.MeetingServerService)}
	if id := i.InstanceID(); id != "" {
		all = append(all, attribute.String(names.ServiceInstanceID, id))
	}
	if i.CallBridge != "" {
		all = append(all, attribute.String(names.CallBridgeID, ID(i.CallBridge)))
	}
	return all
}

// Put writes attributes of a resource. A later one replaces an earlier one of the same name.
func Put(m pcommon.Map, attributes []attribute.KeyValue) {
	m.EnsureCapacity(len(attributes))
	for _, kv := range attributes {
		if kv.Value.Type() == attribute.INT64 {
			m.PutInt(string(kv.Key), kv.Value.AsInt64())
			continue
		}
		m.PutStr(string(kv.Key), kv.Value.AsString())
	}
}
