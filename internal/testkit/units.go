// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/otel/durations"
)

// RequireUnits sets each key alone to the number 5 in the valid configuration base, and fails
// unless load refuses it with an error that names key and value. A key is a path like
// "servers::0::timeout". Each of the bounds belongs to one of the keys.
func RequireUnits[C any](t *testing.T, load func(*testing.T, map[string]any) (C, error), base map[string]any, bounds durations.Bounds, keys ...string) {
	t.Helper()
	_, err := load(t, base)
	require.NoError(t, err)
	withoutIndexes := make(map[string]bool)
	for _, key := range keys {
		path := strings.Split(key, "::")
		_, err := load(t, withValue(base, path, 5).(map[string]any))
		if assert.Error(t, err, key) {
			assert.Regexp(t, "(^|\\s)"+key+" must be .*at least [0-9ms]+, got 5ns: write it with a unit", err.Error())
		}
		withoutIndexes[strings.ReplaceAll(key, "::0::", "::")] = true
	}
	for key := range bounds {
		assert.True(t, withoutIndexes[key], "%s has a bound and is not tested", key)
	}
}

// withValue returns a copy of a section or list in which the key at path has the value.
func withValue(section any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	if list, ok := section.([]any); ok {
		index, _ := strconv.Atoi(path[0])
		changed := append([]any(nil), list...)
		changed[index] = withValue(list[index], path[1:], value)
		return changed
	}
	old, _ := section.(map[string]any)
	changed := make(map[string]any)
	maps.Copy(changed, old)
	changed[path[0]] = withValue(old[path[0]], path[1:], value)
	return changed
}
