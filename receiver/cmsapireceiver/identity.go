// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"github.com/legato-otel/legato/internal/meetingserver/api/object"
	"github.com/legato-otel/legato/internal/meetingserver/callbridge"
)

// maxIdentityTries is how many scrapes go by without metrics while a server fails to
// say which bridge it is. Afterwards it is named by host and port, as a server in
// no cluster is.
const maxIdentityTries = 3

// identity finds out which bridge of its cluster a server is. Metrics wait for it:
// under another name they would be those of another bridge.
type identity struct {
	callBridge string
	known      bool
	tries      int
}

// learn takes what the server says of its cluster. complete tells that it said all
// there is. An id that was learnt holds for as long as the receiver runs.
func (i *identity) learn(cluster *object.Cluster, bridges []object.CallBridge, complete bool) {
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
