// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

const (
	topic = "legato"
	// partitions are as many as there are stitchers, so that each has one, whichever
	// the group gives it.
	partitions = 2
)

// broker is a Kafka of one node in this process. Its data outlives a restart.
type broker struct {
	t         *testing.T
	address   string
	directory string
	cluster   *kfake.Cluster
}

// newBroker starts a broker that ends with the test.
func newBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{t: t, address: loopback.MustAddress(t), directory: t.TempDir()}
	b.start(kfake.SeedTopics(partitions, topic))
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start(options ...kfake.Opt) {
	b.t.Helper()
	_, text, err := net.SplitHostPort(b.address)
	require.NoError(b.t, err)
	port, err := strconv.Atoi(text)
	require.NoError(b.t, err)
	b.cluster, err = kfake.NewCluster(append(options,
		kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(b.directory), kfake.SyncWrites(),
		kfake.GroupMinSessionTimeout(time.Second), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "4194304"}))...)
	require.NoError(b.t, err)
}

func (b *broker) stop() {
	if b.cluster != nil {
		b.cluster.Close()
		b.cluster = nil
	}
}

// partitionOf is the partition of a message key, as the Kafka exporter's default
// partitioner chooses it: FNV-1a of 32 bits as sarama reads it.
func partitionOf(key string) int {
	hash := uint32(2166136261)
	for _, b := range []byte(key) {
		hash = (hash ^ uint32(b)) * 16777619
	}
	n := int32(hash) % partitions //nolint:gosec // sarama's way
	if n < 0 {
		n = -n
	}
	return int(n)
}
