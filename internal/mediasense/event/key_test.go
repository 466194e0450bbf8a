// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func keys(t *testing.T, body string) []Key {
	t.Helper()
	e := one(t, body)
	return e.Keys(nil)
}

// Which events are one: whether it came by way of the other server, in another
// order of elements, or with quoted numbers makes no difference.
func TestSameKey(t *testing.T) {
	f := func(a, b string) {
		t.Helper()
		assert.Equal(t, keys(t, a), keys(t, b))
	}
	ended := fixture(t, "session-ended.json")
	f(ended, strings.Replace(ended, `"TRUE"`, "false", 1))
	f(ended, strings.NewReplacer(" ", "", "\n", "").Replace(ended))
	f(ended, strings.Replace(strings.Replace(ended, `"ccid": "2728859999-0000065536-0000020001",`, "", 1), `"sessionDuration"`, `"ccid": "2728859999-0000065536-0000020001", "sessionDuration"`, 1))
	f(ended, strings.ReplaceAll(ended, "83940", `"83940"`))
	tag := fixture(t, "tag-added-track.json")
	f(tag, strings.Replace(tag, `"SYSTEM_DEFINED"`, `"system"`, 1))
	storage := fixture(t, "storage-enter-low.json")
	f(storage, strings.Replace(storage, `"forwardedEvent": "TRUE",`, "", 1))
	deleted := fixture(t, "session-deleted.json")
	both := keys(t, deleted)
	assert.Len(t, both, 2)
	assert.Equal(t, both[:1], keys(t, strings.Replace(deleted, ",\n      \"711327323feb12\"", "", 1)))
}

// Which are not.
func TestOtherKey(t *testing.T) {
	seen := make(map[Key]string)
	for _, body := range []string{
		fixture(t, "session-started.json"), fixture(t, "session-started-cube.json"), fixture(t, "session-updated.json"), fixture(t, "session-ended.json"),
		strings.Replace(fixture(t, "session-updated.json"), "30000", "30001", 1),
		fixture(t, "session-deleted.json"), strings.Replace(fixture(t, "session-deleted.json"), "DELETED", "PRUNED", 1), fixture(t, "session-pruned.json"),
		fixture(t, "tag-added-track.json"), fixture(t, "tag-added-track-other.json"), fixture(t, "tag-added-track-active-late.json"),
		strings.Replace(fixture(t, "tag-added-track.json"), "ADDED", "UPDATED", 1), fixture(t, "tag-deleted.json"),
		strings.Replace(fixture(t, "tag-added-track.json"), `,
    "trackNumber": 1`, "", 1),
		fixture(t, "storage-enter-low.json"), fixture(t, "storage-enter-low-doc-70.json"), fixture(t, "storage-exit-low.json"),
		strings.Replace(fixture(t, "storage-enter-low.json"), "/common", "/other", 1), strings.Replace(fixture(t, "storage-enter-low.json"), `: 1,`, `: 2,`, 1),
		fixture(t, "unknown-event-type.json"), strings.Replace(fixture(t, "unknown-event-type.json"), "HAPPENED", "DONE", 1),
		`{"eventType":"SESSION_EVENT","eventAction":"DELETED","eventBody":{}}`, `{"eventType":"SESSION_EVENT","eventAction":"PRUNED","eventBody":{}}`,
	} {
		for _, key := range keys(t, body) {
			assert.Empty(t, seen[key], body)
			seen[key] = body
		}
	}
	m := Malformed{Raw: "x"}
	assert.NotEqual(t, m.Key(), (&Malformed{Raw: "y"}).Key())
}
