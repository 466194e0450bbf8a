// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sessionTimeout is how long a stitcher may be away before the group gives its
// partitions to others. The shipped configuration has five minutes.
func sessionTimeout() time.Duration { return either(20*time.Second, 90*time.Second) }

// kafkaEstate has two edges and two stitchers around a broker. edge and stitcher return
// what is changed in their configurations.
func kafkaEstate(t *testing.T, b *broker, edge, stitcher func(i int) string) *estate {
	t.Helper()
	e := newEstate(t)
	brokers := list([]string{b.address})
	for i := range stitchers {
		p := e.addStitcher("kafka-stitcher.yaml", stitcher(i), map[string]string{"KAFKA_BROKERS": brokers, "LEGATO_NAME": fmt.Sprintf("stitcher-%d", i)})
		p.start()
		// A stitcher that joins takes partitions from the others: it must have them before
		// meetings begin.
		require.Eventually(t, p.hasPartition, waitFor, tick, "%s has no partition", p.name)
		e.addEdge("kafka-edge.yaml", edge(i), map[string]string{"KAFKA_BROKERS": brokers})
	}
	return e
}

var partitionAdded = regexp.MustCompile(`"added": "[^"]+\[`)

// hasPartition reports whether the consumer group has given the stitcher a partition.
func (p *process) hasPartition() bool { return partitionAdded.MatchString(p.log.String()) }

// killParts kills a stitcher, which comes back on another machine, and an edge, while
// clusters post.
func (e *estate) killParts(playing []*simulation) {
	e.t.Helper()
	e.untilReceived(300)
	during(e.t, playing, "a stitcher is killed", e.stitchers[0].kill)
	<-time.After(either(2*time.Second, 10*time.Second))
	e.stitchers[0].move()
	e.stitchers[0].start()
	e.untilReceived(300)
	during(e.t, playing, "an edge is killed", e.edges[0].kill)
	<-time.After(either(time.Second, 10*time.Second))
	e.edges[0].start()
	e.untilReceived(300)
}

// Two edges write three clusters to Kafka, and two stitchers read them. A stitcher is
// killed, an edge is killed, the broker cannot be reached, and the group gives a
// stitcher's partition to the other one while the meetings of its clusters are over: all
// records arrive, and each object has one span.
func TestKafka(t *testing.T) {
	t.Parallel()
	b := newBroker(t, stitchers, topic)
	e := kafkaEstate(t, b, func(int) string { return "" }, func(int) string {
		return fmt.Sprintf("receivers: { kafka: { session_timeout: %s } }\n", sessionTimeout())
	})
	clusters := clustersFor(t, stitchers, partitionOf)

	playing := e.play(clusters, either(60, 600))
	e.killParts(playing)
	during(t, playing, "the broker cannot be reached", func() { b.network.setCut(true) })
	<-time.After(either(5*time.Second, time.Minute))
	b.network.setCut(false)
	e.compare("Kafka, a stitcher and an edge killed, the broker away", playing)
	e.together(clusters)

	// One stitcher does not come back: the other one gets its partition.
	e.stitchers[0].stop()
	e.compare("Kafka, after a stitcher left", e.play(clusters, either(10, 100)))
	e.cost("Kafka")
}

// A topic for each cluster and a consumer group for each stitcher pin the clusters: a
// broker that forgets the members of its groups, as kfake does when it starts anew, moves
// none of them.
func TestKafkaTopics(t *testing.T) {
	if !long {
		t.Skip("part of make scale")
	}
	t.Parallel()
	clusters := []string{"video-east", "video-north", "video-west"}
	b := newBroker(t, 1, clusters...)
	topics := []string{list(clusters[:2]), list(clusters[2:])}
	e := kafkaEstate(t, b, func(int) string {
		return "exporters: { kafka: { logs: { topic_from_metadata_key: cisco.meeting_server.cluster } } }\n"
	}, func(i int) string {
		return fmt.Sprintf("receivers: { kafka: { group_id: stitcher-%d, logs: { topics: %s } } }\n", i, topics[i])
	})
	playing := e.play(clusters, 300)
	e.killParts(playing)
	during(t, playing, "the broker stops", b.stop)
	<-time.After(time.Minute)
	b.start()
	e.compare("Kafka with a topic for each cluster, a stitcher and an edge killed, the broker started anew", playing)
	e.together(clusters)
}
