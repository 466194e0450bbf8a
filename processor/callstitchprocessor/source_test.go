// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// resource returns a resource with a session, as change alters it.
func resource(change func(plog.ResourceLogs)) plog.ResourceLogs {
	rl := plog.NewResourceLogs()
	rl.SetSchemaUrl("https://example.test/1")
	a := rl.Resource().Attributes()
	a.PutStr(names.SessionID, "s")
	a.PutInt("int", 1)
	a.PutDouble("double", 1.5)
	a.PutBool("bool", true)
	if change != nil {
		change(rl)
	}
	return rl
}

// Equal resources are equal texts in whatever order their attributes come, and
// others are others; a resource comes back as it was.
func TestSources(t *testing.T) {
	all := newSources()
	want := all.get(resource(nil)).Resource()
	reordered := all.get(resource(func(rl plog.ResourceLogs) {
		a := rl.Resource().Attributes()
		a.Remove(names.SessionID)
		a.PutStr(names.SessionID, "s")
	})).Resource()
	assert.Equal(t, want, reordered)

	seen := map[string]int{want: -1}
	for i, change := range []func(plog.ResourceLogs){
		func(rl plog.ResourceLogs) { rl.SetSchemaUrl("https://example.test/2") },
		func(rl plog.ResourceLogs) { rl.Resource().SetDroppedAttributesCount(1) },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutStr("more", "") },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutStr(names.SessionID, "t") },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutInt("int", 2) },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutStr("int", "1") },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutDouble("double", 1) },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutBool("bool", false) },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutEmptySlice("list").AppendEmpty().SetStr("a") },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutEmptySlice("list").AppendEmpty().SetStr("b") },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutEmptyBytes("bytes").FromRaw([]byte{1}) },
		func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutEmpty("empty") },
		func(rl plog.ResourceLogs) { rl.SetSchemaUrl(""); rl.Resource().Attributes().Clear() },
	} {
		given := resource(change)
		for range 2 {
			got := all.get(given).Resource()
			same, known := seen[got]
			assert.True(t, !known || same == i, "%d is as %d", i, same)
			seen[got] = i
			back := plog.NewResourceLogs()
			decodeResource(got, back)
			assert.Equal(t, given.SchemaUrl(), back.SchemaUrl())
			assert.Equal(t, given.Resource().DroppedAttributesCount(), back.Resource().DroppedAttributesCount())
			assert.Equal(t, given.Resource().Attributes().AsRaw(), back.Resource().Attributes().AsRaw())
		}
	}
	assert.Len(t, seen, 14)
}

// A bridge is known by its id, else by what somebody calls it, else by its
// address; one of which nothing is known but its session is like all such.
func TestBridgeOf(t *testing.T) {
	f := func(want string, attributes ...string) {
		t.Helper()
		rl := plog.NewResourceLogs()
		for i := 0; i < len(attributes); i += 2 {
			rl.Resource().Attributes().PutStr(attributes[i], attributes[i+1])
		}
		_, got := bridgeOf(rl.Resource().Attributes(), "S-1")
		assert.Equal(t, want, got)
	}
	f("b", names.CallBridgeID, "b", names.ServiceInstanceID, "b", names.SystemID, "label", names.ClientAddress, "192.0.2.1")
	f("label", names.ServiceInstanceID, "S-1", names.SystemID, "label", names.ClientAddress, "192.0.2.1")
	f("mine", names.ServiceInstanceID, "mine", names.ClientAddress, "192.0.2.1")
	f("192.0.2.1", names.ServiceInstanceID, "s-1", names.ClientAddress, "192.0.2.1")
	f("", names.ServiceInstanceID, "S-1")
	f("")
}

// Ever new resources take no more room than some.
func TestSourcesAreBounded(t *testing.T) {
	all := newSources()
	for i := range 3 * maxCachedSources {
		all.get(resource(func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutInt("run", int64(i)) }))
		assert.LessOrEqual(t, len(all.cached), maxCachedSources)
	}
}

// What was stored damaged comes back empty, and nothing worse.
func TestDamagedSource(t *testing.T) {
	back := plog.NewResourceLogs()
	decodeResource("odd", back)
	decodeResource("", back)
	assert.Zero(t, back.Resource().Attributes().Len())
}

// A value comes back as it was, of whatever type; one that is empty is none.
func TestValues(t *testing.T) {
	for _, raw := range []any{"text", "", int64(-1), 0.5, true, false, []byte{0, 1}, []any{"a", int64(1), []any{}}, map[string]any{"k": map[string]any{}}} {
		given, back := pcommon.NewValueEmpty(), pcommon.NewValueEmpty()
		assert.NoError(t, given.FromRaw(raw))
		value, ok := valueOf(given)
		assert.True(t, ok)
		setValue(back, value)
		assert.Equal(t, given.AsRaw(), back.AsRaw())
		assert.Equal(t, given.Type(), back.Type())
	}
	_, ok := valueOf(pcommon.NewValueEmpty())
	assert.False(t, ok)
}
