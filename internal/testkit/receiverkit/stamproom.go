// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package receiverkit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/otel/logrecord"
)

// AssertRoomForStamps fails for each log record of an event with one of the attributes whose
// memory has no room for those that callstitch adds. It returns how many records it checked.
// Malformed records are left out: they are rare.
func AssertRoomForStamps(t *testing.T, all []plog.Logs, keys ...string) (count int) {
	t.Helper()
	for _, lr := range Records(all) {
		if strings.HasSuffix(lr.EventName(), ".record.malformed") {
			continue
		}
		for _, key := range keys {
			if _, has := lr.Attributes().Get(key); has {
				count++
				assert.True(t, hasRoom(lr.Attributes(), key), "%s with %d attributes", lr.EventName(), lr.Attributes().Len())
				break
			}
		}
	}
	return count
}

// hasRoom reports whether EnsureCapacity leaves the attributes where they are: a value that
// was looked up before is then still part of m.
func hasRoom(m pcommon.Map, key string) bool {
	value, _ := m.Get(key)
	original := pcommon.NewValueEmpty()
	value.CopyTo(original)
	m.EnsureCapacity(m.Len() + logrecord.StampAttributes)
	value.SetStr("moved")
	current, _ := m.Get(key)
	isSame := current.Type() == pcommon.ValueTypeStr && current.Str() == "moved"
	original.CopyTo(current)
	return isSame
}
