// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callbridge_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"

	"github.com/legato-otel/legato/internal/meetingserver/callbridge"
	"github.com/legato-otel/legato/internal/names"
)

const guid = "d80df859-cbc0-44ee-8611-449ab1bf39d7"

// A bridge of a cluster has one name, whatever its source and the case of its letters.
func TestOneName(t *testing.T) {
	for _, identity := range []callbridge.Identity{
		{CallBridge: guid, Session: "s"},                   // call detail records
		{CallBridge: guid, Address: "cms1:445"},            // events, API
		{CallBridge: strings.ToUpper(guid), Session: "s2"}, // after a restart
		{CallBridge: " " + guid + "\n", Address: "192.0.2.30:443"},
	} {
		assert.Equal(t, []attribute.KeyValue{
			attribute.String(names.ServiceName, "cisco-meeting-server"),
			attribute.String(names.ServiceInstanceID, guid),
			attribute.String(names.CallBridgeID, guid),
		}, identity.Attributes())
	}
}

func TestInNoCluster(t *testing.T) {
	f := func(i callbridge.Identity, want string) {
		t.Helper()
		assert.Equal(t, want, i.InstanceID())
		for _, kv := range i.Attributes() {
			assert.NotEqual(t, names.CallBridgeID, string(kv.Key))
		}
	}
	f(callbridge.Identity{Session: "S", Address: "a:1"}, "S")
	f(callbridge.Identity{Address: "a:1"}, "a:1")
	f(callbridge.Identity{}, "")
}

func TestCallBridgeID(t *testing.T) {
	assert.Equal(t, "Bridge-North", callbridge.ID("Bridge-North"), "no GUID keeps its case")
	assert.Len(t, callbridge.ID(strings.Repeat("x", 1000)), 128)
	assert.Equal(t, strings.Repeat("x", 127), callbridge.ID(strings.Repeat("x", 127)+"ä"))
}

func TestPut(t *testing.T) {
	m := pcommon.NewMap()
	callbridge.Put(m, []attribute.KeyValue{attribute.String("a", "1"), attribute.Int("p", 445), attribute.String("a", "2")})
	assert.Equal(t, map[string]any{"a": "2", "p": int64(445)}, m.AsRaw())
}
