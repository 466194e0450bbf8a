// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// TestGaps is the fixtures' sequence: what is lost is counted exactly, whether
// the bridge says so, says so misspelt, or says nothing.
func TestGaps(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	missing := func() int64 { return r.Counter("otelcol_receiver_cmscdr_records_missing") }
	f := func(name string, want int64) {
		t.Helper()
		before := missing()
		require.Equal(t, http.StatusOK, r.Post(fixture(t, name)))
		assert.Equal(t, want, missing()-before, name)
	}
	f("ivr/ivr-lobby-active.xml", 0)
	f("ivr/sip-scan.xml", 0)
	f("gap/num-preceding-missing.xml", 113)
	f("gap/num-preceding-missing.xml", 0)
	f("gap/num-preceeding-misspelt.xml", 3)
	f("gap/no-attribute.xml", 2)
	f("gap/late-receiver-first-index.xml", 0)

	var counts []int64
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		if lr.EventName() == names.EventRecordGap {
			n, _ := lr.Attributes().Get(names.RecordMissing)
			counts = append(counts, n.Int())
		}
	}
	assert.Equal(t, []int64{113, 3, 2}, counts)
}

// A new session of a known bridge is reported once, with the session it ends.
func TestSessionStart(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	for _, name := range []string{"gap/no-attribute.xml", "gap/new-session-after-restart.xml", "gap/new-session-after-restart.xml", "gap/num-preceding-missing.xml"} {
		require.Equal(t, http.StatusOK, r.Post(fixture(t, name)), name)
	}
	assert.Equal(t, []string{
		names.EventCallLegEnd, names.EventSessionStart, names.EventCallLegStart, names.EventCallLegEnd,
	}, receiverkit.EventNames(sink))
	previous, _ := receiverkit.Records(sink.AllLogs())[1].Attributes().Get(names.SessionPreviousID)
	assert.Equal(t, "1aecff57-8755-49a1-8fbc-010cfe54527c", previous.Str())
}

// An unclustered bridge is known by the label in its URI, and unknown without.
func TestSessionStartOfAnUnclusteredBridge(t *testing.T) {
	first := fixture(t, "callLegEnd-audio-only-unclustered.xml")
	second := strings.Replace(first, "048146c1", "148146c1", 1)
	f := func(query string, want ...string) {
		t.Helper()
		sink := new(consumertest.LogsSink)
		r := newHarness(t, func(r *harness) { r.Logs = sink })
		require.Equal(t, http.StatusOK, r.PostTo(r.URL+query, first))
		require.Equal(t, http.StatusOK, r.PostTo(r.URL+query, second))
		assert.Equal(t, want, receiverkit.EventNames(sink))
	}
	f("?system_id=cms1", names.EventCallLegEnd, names.EventSessionStart, names.EventCallLegEnd)
	f("", names.EventCallLegEnd, names.EventCallLegEnd)
}

// Very old servers send recordIndex only; it is counted for each receiver, so
// the URI is part of a record's identity then.
func TestLegacyIndex(t *testing.T) {
	body := strings.Replace(fixture(t, "callLegEnd-rich.xml"), ` correlatorIndex="2087"`, "", 1)
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	for _, query := range []string{"?system_id=a", "?system_id=a", "?system_id=b"} {
		require.Equal(t, http.StatusOK, r.PostTo(r.URL+query, body))
	}
	assert.Equal(t, 2, sink.LogRecordCount())
}

// A resend that overtakes its own first try waits for it.
func TestResendDuringFirstTry(t *testing.T) {
	sink := new(consumertest.LogsSink)
	gate := receiverkit.NewGated(sink)
	r := newHarness(t, func(r *harness) { r.Logs = gate })
	statuses := make(chan int)
	send := func(name string) {
		body := fixture(t, name)
		go func() { statuses <- r.Post(body) }()
	}
	send("flow/post-5.xml")
	<-gate.Entered
	send("flow/post-5+6-resend-shifted.xml")
	gate.Leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-statuses)
	<-gate.Entered
	gate.Leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-statuses)
	assert.Equal(t, 3, sink.LogRecordCount())
}

var storageID = component.MustNewID("file_storage")

func withStorage(s *testkit.Storage) func(*harness) {
	return func(r *harness) {
		id := storageID
		r.config.Storage = &id
		r.Host = testkit.Host{storageID: s}
	}
}

// With storage the ledger survives a restart, and so do gaps and sessions.
func TestRestart(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; withStorage(store)(r) })
	restart := func() { r.Stop(); r.Start() }

	require.Equal(t, http.StatusOK, r.Post(fixture(t, "ivr/sip-scan.xml")))
	require.Equal(t, http.StatusOK, r.Post("not XML"))
	restart()
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "ivr/sip-scan.xml")))
	require.Equal(t, http.StatusOK, r.Post("not XML"))
	require.Equal(t, 3, sink.LogRecordCount(), "all known")
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "gap/num-preceding-missing.xml")))
	restart()
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "gap/num-preceding-missing.xml")))
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "gap/new-session-after-restart.xml")))
	assert.Equal(t, []string{
		names.EventCallLegStart, names.EventCallLegEnd, names.EventRecordMalformed,
		names.EventRecordGap, names.EventCallLegEnd, names.EventSessionStart, names.EventCallLegStart,
	}, receiverkit.EventNames(sink))
	r.Stop()
	assert.Zero(t, store.Open(), "storage clients left open")
	r.Start()
}

// No 200 after a failed write. The records are taken all the same, so the
// resend is a duplicate, and is acknowledged once the ledger is stored.
func TestStorageFull(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; withStorage(store)(r) })
	store.Fail(errors.New("no space left on device"))
	for range 3 {
		require.Equal(t, http.StatusServiceUnavailable, r.Post(fixture(t, "flow/post-6.xml")))
		require.Equal(t, http.StatusServiceUnavailable, r.Post("not XML"))
	}
	store.Fail(nil)
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-6.xml")))
	require.Equal(t, http.StatusOK, r.Post("not XML"))
	assert.Equal(t, 3, sink.LogRecordCount())

	r.Stop()
	r.Start()
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-6.xml")))
	require.Equal(t, http.StatusOK, r.Post("not XML"))
	assert.Equal(t, 3, sink.LogRecordCount())
}

// What is stored and cannot be read does not keep the receiver from starting.
func TestDamagedStorage(t *testing.T) {
	f := func(key string, value []byte, want string) {
		t.Helper()
		store := testkit.NewStorage()
		r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop(); withStorage(store)(r) })
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-6.xml")))
		store.Put(key, value)
		r.Stop()
		r.Start()
		assert.Equal(t, 1, r.Log.FilterMessageSnippet(want).Len(), "%s=%q", key, value)
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "flow/post-6.xml")))
	}
	const session = "session/ebbd0059-8629-42bd-8e92-b7f12692b0d5"
	f("sessions", []byte("{"), "cannot be listed")
	f("sessions", []byte(`{"version":1,"sessions":[]}`), "cannot be listed")
	f("fingerprints/named/0", []byte{3}, "content hashes cannot be read")
	f(session, []byte{0, 1, 2}, "Stored session skipped")
	f(session, []byte{1}, "Stored session skipped")
	f(session, []byte{}, "Stored session skipped")
}

func TestStorageExtensionErrors(t *testing.T) {
	f := func(host testkit.Host, want string) {
		t.Helper()
		id := storageID
		config := createDefaultConfig().(*Config)
		config.HTTP.NetAddr.Endpoint = "localhost:0"
		config.Storage = &id
		err := startWith(t, config, host)
		assert.ErrorContains(t, err, want)
	}
	f(testkit.Host{}, `storage: no extension "file_storage"`)
	f(testkit.Host{storageID: notStorage{}}, `extension "file_storage" is not a storage extension`)
	broken := testkit.NewStorage()
	broken.Fail(errors.New("locked by another process"))
	f(testkit.Host{storageID: broken}, `storage: open "file_storage": locked by another process`)
}

type notStorage struct {
	component.StartFunc
	component.ShutdownFunc
}

// A session begins with its first numbered record: what has no number before it
// does not make it begin again and again.
func TestSessionStartWaitsForANumberedRecord(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	restarted := fixture(t, "gap/new-session-after-restart.xml")
	unnumbered := strings.NewReplacer(` recordIndex="1"`, "", ` correlatorIndex="0"`, "")
	require.Equal(t, http.StatusOK, r.Post(fixture(t, "gap/no-attribute.xml")))
	for _, leg := range []string{"ce56b858", "ce56b859"} {
		require.Equal(t, http.StatusOK, r.Post(strings.Replace(unnumbered.Replace(restarted), "ce56b858", leg, 1)))
	}
	require.Equal(t, http.StatusOK, r.Post(restarted))
	assert.Equal(t, []string{
		names.EventCallLegEnd, names.EventCallLegStart, names.EventCallLegStart, names.EventSessionStart, names.EventCallLegStart,
	}, receiverkit.EventNames(sink))
}

// A resend of a part without an index is no duplicate before the part is
// stored: its first try may still fail.
func TestNoAcknowledgementBeforeTheFingerprintIsStored(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink; withStorage(store)(r) })
	release := store.Hold()
	statuses := make(chan int, 2)
	for range cap(statuses) {
		go func() { statuses <- r.Post("not XML") }()
	}
	require.Eventually(t, func() bool { return store.Waiting() > 0 }, waitFor, tick)
	assert.Empty(t, statuses)
	release(errors.New("disk full"))
	for range cap(statuses) {
		assert.Equal(t, http.StatusServiceUnavailable, <-statuses)
	}
	store.Fail(nil)
	require.Equal(t, http.StatusOK, r.Post("not XML"))
	assert.Equal(t, 1, sink.LogRecordCount())
}
