// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"testing"
	"time"
)

// sessionTimeout is how long a stitcher may be away before the group gives its
// partitions to others. The shipped configuration has five minutes.
const sessionTimeout = 20 * time.Second

// Two edges write three clusters to Kafka, and two stitchers read them. A stitcher is
// killed, an edge is killed, the broker goes away, and the group gives a stitcher's
// partition to the other one while the meetings of its clusters are over: all records
// arrive, and each object has one span.
func TestKafka(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	b := newBroker(t)
	brokers := list([]string{b.address})
	for i := range 2 {
		e.addStitcher("kafka-stitcher.yaml", fmt.Sprintf("receivers: { kafka: { session_timeout: %s } }\n", sessionTimeout),
			map[string]string{"KAFKA_BROKERS": brokers, "LEGATO_NAME": fmt.Sprintf("stitcher-%d", i)}).start()
		e.addEdge("kafka-edge.yaml", map[string]string{"KAFKA_BROKERS": brokers})
	}
	clusters := clustersFor(t, partitions, partitionOf)

	playing := e.play(clusters, either(60, 600))
	e.untilReceived(500)
	during(t, playing, "a stitcher is killed", e.stitchers[0].kill)
	<-time.After(either(2*time.Second, 10*time.Second))
	e.stitchers[0].move()
	e.stitchers[0].start()
	e.untilReceived(500)
	during(t, playing, "an edge is killed", e.edges[0].kill)
	<-time.After(either(time.Second, 10*time.Second))
	e.edges[0].start()
	e.untilReceived(300)
	during(t, playing, "the broker goes away", b.stop)
	<-time.After(either(5*time.Second, time.Minute))
	b.start()
	e.compare("Kafka, a stitcher and an edge killed, the broker away", playing)
	e.together(clusters)

	// One stitcher is away for good: the other one gets its partition.
	e.stitchers[0].stop()
	e.compare("Kafka, after a stitcher left", e.play(clusters, either(10, 100)))
}
