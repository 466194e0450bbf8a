// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

const (
	topic = "legato"
	// stitchers is how many partitions the topic has too, so that each stitcher has one,
	// whichever the group gives it.
	stitchers = 2
)

// broker is a Kafka of one node in this process.
type broker struct {
	t         *testing.T
	address   string
	directory string
	cluster   *kfake.Cluster
	network   *network
}

// newBroker starts a broker that ends with the test. It has the topics, each with some
// partitions.
func newBroker(t *testing.T, partitions int32, topics ...string) *broker {
	t.Helper()
	b := &broker{t: t, address: loopback.MustAddress(t), directory: t.TempDir()}
	b.start(kfake.SeedTopics(partitions, topics...))
	t.Cleanup(b.stop)
	return b
}

// start starts the broker, with the data that the last one left.
func (b *broker) start(options ...kfake.Opt) {
	b.t.Helper()
	_, text, err := net.SplitHostPort(b.address)
	require.NoError(b.t, err)
	port, err := strconv.Atoi(text)
	require.NoError(b.t, err)
	b.network = &network{open: map[net.Conn]bool{}}
	b.cluster, err = kfake.NewCluster(append(options,
		kfake.NumBrokers(1), kfake.Ports(port), kfake.ListenFn(b.network.listen), kfake.DataDir(b.directory), kfake.SyncWrites(),
		kfake.GroupMinSessionTimeout(time.Second), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "4194304"}))...)
	require.NoError(b.t, err)
}

func (b *broker) stop() {
	if b.cluster != nil {
		b.cluster.Close()
		b.cluster = nil
	}
}

// network can be cut: connections end, and new ones end at once.
type network struct {
	mu   sync.Mutex // guards everything below
	cut  bool
	open map[net.Conn]bool
}

func (n *network) listen(network, address string) (net.Listener, error) {
	listener, err := net.Listen(network, address)
	return &cutListener{listener, n}, err
}

// setCut cuts the network, or mends it.
func (n *network) setCut(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
	for conn := range n.open {
		if cut {
			conn.Close()
		}
	}
}

// admit takes a connection unless the network is cut.
func (n *network) admit(conn net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.cut {
		n.open[conn] = true
	}
	return !n.cut
}

func (n *network) forget(conn net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, conn)
}

type cutListener struct {
	net.Listener
	network *network
}

func (l *cutListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &cutConn{conn, l.network}
		if l.network.admit(conn) {
			return c, nil
		}
		conn.Close()
	}
}

type cutConn struct {
	net.Conn
	network *network
}

func (c *cutConn) Close() error {
	c.network.forget(c.Conn)
	return c.Conn.Close()
}

// partitionOf is the partition of a message key, as the Kafka exporter's default
// partitioner chooses it: FNV-1a of 32 bits as sarama reads it.
func partitionOf(key string) int {
	hash := uint32(2166136261)
	for _, b := range []byte(key) {
		hash = (hash ^ uint32(b)) * 16777619
	}
	n := int32(hash) % stitchers // with a sign, as sarama has it
	if n < 0 {
		n = -n
	}
	return int(n)
}
