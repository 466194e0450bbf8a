// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package callbridge is the rule by which every component names a Call Bridge, so that
// its records, events and metrics are those of one thing in every backend. The
// rule is documented in docs/identity.md.
package callbridge

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"

	"github.com/legato-otel/legato/internal/names"
)

// Identity is what is known of a Call Bridge. Each component fills in what its
// source tells.
type Identity struct {
	// CallBridge is the GUID of the bridge in its cluster: callBridge of call detail
	// records, and the id of its own entry in /callBridges of the API. It is "" for a
	// server in no cluster.
	CallBridge string
	// Session is the session of call detail records, which names a server in no
	// cluster until it restarts.
	Session string
	// Address is host and port of the API, which name a server in no cluster that is
	// asked rather than listened to.
	Address string
}

// maxID bounds an id, in bytes. Ids have 36.
const maxID = 128

// guidLength is that of a GUID, 8-4-4-4-12 digits.
const guidLength = 36

// ID returns the id of a Call Bridge as every component writes it: GUIDs
// compare without case, so they are in lower case.
func ID(text string) string {
	text = strings.TrimSpace(text)
	text = text[:min(len(text), maxID)]
	if len(text) == guidLength && strings.Trim(text, "0123456789abcdefABCDEF-") == "" {
		return strings.ToLower(text)
	}
	return strings.ToValidUTF8(text, "")
}

// InstanceID is the value of service.instance.id: the id in the cluster, else the
// session, else the address.
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

// Attributes are those that name the bridge in a resource.
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

// Put writes attributes of a resource. Later ones of a name replace earlier ones.
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
