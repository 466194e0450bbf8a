// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"github.com/legato-otel/legato/internal/meetingserver/api/object"
	"github.com/legato-otel/legato/internal/meetingserver/callbridge"
)

// maxIdentityTries is the number of scrapes without metrics while the id of a server cannot be
// read. Afterwards host and port identify it, as for a server without a cluster.
const maxIdentityTries = 3

// identity determines the id of a server in its cluster. Metrics wait for it, because with
// another id they would belong to another bridge.
type identity struct {
	callBridge string
	known      bool
	tries      int
}

// update sets the id from the cluster configuration and the list of bridges. complete means that
// the list is complete. An id that was found stays until the receiver stops.
func (i *identity) update(cluster *object.Cluster, bridges []object.CallBridge, complete bool) {
	if i.known && i.callBridge != "" {
		return
	}
	if cluster != nil {
		if own, found := object.FindOwn(*cluster, bridges); found {
			i.callBridge, i.known = callbridge.ID(own.ID), true
			return
		}
	}
	i.tries++
	i.known = complete || i.callBridge != "" || i.tries >= maxIdentityTries
}
