// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"testing"
	"time"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// Two edges divide three clusters over two stitchers. A stitcher is killed and comes back
// on another machine with its volume, an edge is killed, and a third stitcher takes
// over clusters that are quiet: all records arrive, and each object has one span.
func TestLoadBalancing(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	var hostnames []string
	add := func() *process {
		address := loopback.MustAddress(t)
		hostnames = append(hostnames, address)
		p := e.addStitcher("lb-stitcher.yaml", "", map[string]string{"LEGATO_OTLP_LISTEN": address})
		p.start()
		return p
	}
	add()
	add()
	for range 2 {
		e.addEdge("lb-edge.yaml", "", map[string]string{"LEGATO_STITCHERS": list(hostnames)})
	}
	clusters := clustersFor(t, 2, ringOf(hostnames))

	playing := e.play(clusters, either(60, 600))
	e.untilReceived(300)
	victim := e.stitchers[ringOf(hostnames)(clusters[0])]
	during(t, playing, "a stitcher is killed", victim.kill)
	<-time.After(either(2*time.Second, time.Minute))
	victim.move()
	victim.start()
	e.untilReceived(300)
	during(t, playing, "an edge is killed", e.edges[0].kill)
	<-time.After(either(time.Second, 10*time.Second))
	e.edges[0].start()
	e.compare("load balancing, a stitcher moved and an edge killed", playing)
	e.together(clusters)

	// A third stitcher: some clusters go to it, whose meetings are over.
	add()
	for _, edge := range e.edges {
		edge.stop()
		edge.environment["LEGATO_STITCHERS"] = list(hostnames)
		edge.start()
	}
	clusters = clustersFor(t, 3, ringOf(hostnames))
	e.compare("load balancing, after a third stitcher came", e.play(clusters, either(10, 100)))
	e.cost("load balancing")
}
