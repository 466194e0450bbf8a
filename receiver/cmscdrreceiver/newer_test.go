// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/meetingserver/api/apitest"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// What a newer release stored is left as it is, and the start fails.
func TestNewerState(t *testing.T) {
	const v1 = "session/1aecff57-8755-49a1-8fbc-010cfe54527c"
	stored, err := os.ReadFile("../../internal/ingest/ledger/testdata/session-v1.bin")
	require.NoError(t, err)
	f := func(key string, value []byte, want string) {
		t.Helper()
		store := testkit.NewStorage()
		r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop(); withStorage(store)(r) })
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "gap/no-attribute.xml")))
		require.Equal(t, http.StatusOK, r.Post("not XML"))
		r.Stop()
		store.Put(v1, stored) // it would be stored anew
		store.Put(key, value)
		values := store.Values()
		config, id := *r.config, storageID
		config.Storage = &id
		err := startWith(t, &config, testkit.Host{storageID: store})
		require.ErrorContains(t, err, "storage: ", "%s=%q", key, value)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "start the newer release again")
		assert.Equal(t, values, store.Values())
		assert.Zero(t, store.Open())
	}
	f("sessions", []byte(`{"version":3,"sessions":{"of":"another kind"}}`), "the list of sessions has version 3, this release reads 1 to 2")
	f(v1, []byte{3, 0}, "it has version 3, this release reads 1 to 2")
	f("fingerprints/named/7", []byte{4, 0}, "the content hashes have version 4, this release reads 1 to 3")
	f("fingerprints", []byte{4, 0}, "the content hashes have version 4, this release reads 1 to 3")
}

// The id of a registration that a newer release stored is left as it is too.
func TestNewerRegistration(t *testing.T) {
	store := testkit.NewStorage()
	r := newHarness(t, func(r *harness) {
		r.Logs = consumertest.NewNop()
		withStorage(store)(r)
		withRegistration(apitest.NewServer(t, "api", "secret"))(r)
	})
	key := ""
	require.Eventually(t, func() bool {
		for stored := range store.Values() {
			if strings.HasPrefix(stored, keyRegistration) {
				key = stored
			}
		}
		return key != ""
	}, waitFor, tick)
	r.Stop()
	store.Put(key, []byte(`{"version":2}`))
	values, config := store.Values(), *r.config
	require.ErrorContains(t, startWith(t, &config, r.Host), "its version is 2, and 1 is read")
	assert.Equal(t, values, store.Values())
	assert.Zero(t, store.Open())
}

// What a former release stored is read, and stored anew in the present version.
func TestFormerState(t *testing.T) {
	stored := func(name string) []byte {
		state, err := os.ReadFile("../../internal/ingest/ledger/testdata/" + name)
		require.NoError(t, err)
		return state
	}
	const first, second = "1aecff57-8755-49a1-8fbc-010cfe54527b", "1aecff57-8755-49a1-8fbc-010cfe54527c"
	store := testkit.NewStorage()
	list, err := json.Marshal([]string{first, second})
	require.NoError(t, err)
	store.Put("sessions", list)
	store.Put("session/"+first, stored("session-v1.bin"))
	store.Put("session/"+second, stored("session-v1.bin"))
	store.Put("fingerprints", stored("fingerprints-v1.bin"))

	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; withStorage(store)(r) })
	for _, id := range []string{first, second} {
		assert.EqualValues(t, 2, store.Values()["session/"+id][0], "version")
	}
	assert.NotContains(t, store.Values(), "fingerprints")
	assert.Contains(t, store.Values(), "fingerprints/unnamed/0")

	// The list is stored with the next session.
	restarted := fixture(t, "gap/new-session-after-restart.xml")
	require.Equal(t, http.StatusOK, r.Post(restarted))
	values := store.Values()
	r.Stop()
	r.Start()
	assert.Equal(t, values, store.Values(), "a second start stores nothing")
	require.Equal(t, http.StatusOK, r.Post(restarted))
	require.Equal(t, []string{names.EventSessionStart, names.EventCallLegStart}, receiverkit.EventNames(sink))
	previous, _ := receiverkit.Records(sink.AllLogs())[0].Attributes().Get(names.SessionPreviousID)
	assert.Equal(t, second, previous.Str())
	var now storedList
	require.NoError(t, json.Unmarshal(values["sessions"], &now))
	assert.Equal(t, 2, now.Version)
	assert.Equal(t, []string{first, second}, now.Sessions[:2])
}
