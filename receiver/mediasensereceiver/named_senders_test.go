// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// namingServers returns a configuration that names servers.
func namingServers(endpoints ...string) *Config {
	config := createDefaultConfig().(*Config)
	subscription := defaultSubscription()
	for _, endpoint := range endpoints {
		server := SubscriptionServer{HTTP: newDefaultClient()}
		server.HTTP.Endpoint = endpoint
		subscription.Servers = append(subscription.Servers, server)
	}
	config.Subscription = configoptional.Some(subscription)
	return config
}

// sender delivers bodies from any address to a receiver that does not listen.
type sender struct {
	t *testing.T
	d *acceptor
}

func newSender(t *testing.T, config *Config, storage *testkit.Storage) (*sender, *consumertest.LogsSink) {
	t.Helper()
	settings := receivertest.NewNopSettings(metadata.Type)
	r, err := newReceiver(config, settings)
	require.NoError(t, err)
	sink := new(consumertest.LogsSink)
	r.logs = sink
	id := storageID
	r.store, err = openStore(t.Context(), testkit.Host{storageID: storage}, &id, settings)
	require.NoError(t, err)
	d, err := r.newAcceptor(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	return &sender{t, d}, sink
}

func (s *sender) post(address, body string) {
	s.t.Helper()
	require.NoError(s.t, s.d.accept(s.t.Context(), webhook.Request{Body: body, ClientAddress: address, Closing: s.t.Context()}))
}

// pruned is one event about many sessions, each of which is a key.
func pruned(prefix string, from, to int) string {
	ids := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		ids = append(ids, fmt.Sprintf(`"%s-%d"`, prefix, i))
	}
	return `{"eventType":"SESSION_EVENT","eventAction":"PRUNED","eventBody":{"sessionIds":[` + strings.Join(ids, ",") + `]}}`
}

// Made-up events of a stranger push out no event of a server that the subscription
// names, before and after a restart. What is remembered of strangers is bounded.
func TestStrangerPushesOutNoNamedServer(t *testing.T) {
	const server, stranger, entries = "192.0.2.60", "192.0.2.99", 4096
	config := namingServers("https://" + server + ":8440")
	config.Deduplication.MaxEntries = entries
	storage := testkit.NewStorage()
	s, sink := newSender(t, config, storage)
	ended := fixture(t, "session-ended.json")
	s.post(server, ended)
	s.post(server, pruned("real", 0, 3000))
	for round := range 20 {
		s.post(stranger, pruned("made-up", round*1000, (round+1)*1000))
		assert.LessOrEqual(t, s.d.accepted.count(), entries+entries/othersShare)
		assert.LessOrEqual(t, len(storage.Values()), 3+(entries+entries/othersShare)/256)
	}
	taken := sink.LogRecordCount()
	again := func(s *sender, sink *consumertest.LogsSink, before int) {
		t.Helper()
		s.post(server, ended)
		s.post(server, pruned("real", 0, 3000))
		s.post("::ffff:"+server, ended)
		assert.Equal(t, before, sink.LogRecordCount(), "all known")
		s.post(server, pruned("made-up", 19_900, 20_000))
		assert.Equal(t, before, sink.LogRecordCount(), "the last of the stranger are known, from whomever they come")
	}
	again(s, sink, taken)
	s, sink = newSender(t, config, storage)
	again(s, sink, 0)
}

// Without a subscription all senders share max_entries.
func TestWithoutSubscriptionAllSendersAreAlike(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.Deduplication.MaxEntries = 4096
	s, sink := newSender(t, config, testkit.NewStorage())
	s.post("192.0.2.60", pruned("a", 0, 3000))
	s.post("192.0.2.99", pruned("a", 0, 3000))
	assert.Equal(t, 3000, s.d.accepted.count())
	taken := sink.LogRecordCount()
	s.post("192.0.2.99", pruned("a", 0, 3000))
	assert.Equal(t, taken, sink.LogRecordCount())
}

// Names are looked up again and again; a name that is not found keeps its address.
func TestSendersAreLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNamedSenders(namingServers("https://ms1.example.test:8440", "https://ms1.example.test:8441", "https://[2001:db8::7]:8440"), zap.NewNop())
		var (
			mu      sync.Mutex // guards what follows: time that passes synchronizes nothing
			answer  = []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1")}
			failure = errors.New("no such host")
			lookUps int
		)
		answerWith := func(address string, err error) {
			mu.Lock()
			defer mu.Unlock()
			answer, failure = []netip.Addr{netip.MustParseAddr(address)}, err
		}
		s.lookUp = func(_ context.Context, host string) ([]netip.Addr, error) {
			assert.Equal(t, "ms1.example.test", host)
			mu.Lock()
			defer mu.Unlock()
			lookUps++
			return answer, failure
		}
		assert.True(t, s.contains("2001:db8::7"))
		assert.False(t, s.contains("192.0.2.1"))
		ctx, cancel := context.WithCancel(t.Context())
		go s.run(ctx)
		synctest.Wait()
		assert.False(t, s.contains("192.0.2.1"))
		answerWith("::ffff:192.0.2.1", nil)
		time.Sleep(lookUpRetryDelay)
		synctest.Wait()
		assert.True(t, s.contains("192.0.2.1"))
		assert.True(t, s.contains("::ffff:192.0.2.1%eth0"))
		answerWith("::ffff:192.0.2.1", errors.New("no such host"))
		time.Sleep(lookUpInterval)
		synctest.Wait()
		assert.True(t, s.contains("192.0.2.1"))
		answerWith("192.0.2.2", nil)
		time.Sleep(lookUpRetryDelay)
		synctest.Wait()
		assert.True(t, s.contains("192.0.2.2"))
		assert.False(t, s.contains("192.0.2.1"))
		assert.True(t, s.contains("2001:db8::7"))
		assert.False(t, s.contains("no address"))
		assert.Equal(t, 4, lookUps)
		cancel()
		synctest.Wait()
	})
	assert.False(t, (*namedSenders)(nil).contains("192.0.2.1"))
}
