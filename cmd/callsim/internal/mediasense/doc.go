// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package mediasense plays the MediaSense servers of a story of recordings: it
// posts their events to whoever wants them, and serves the part of the API by
// which somebody subscribes.
//
// Posts are at most once: what is not answered with a 2xx is gone. Each server
// sends the session events of its own recordings; tag and storage events it also
// sends for its peers, marked as forwarded. A subscription has one goroutine that
// posts, one event after the other; everything else is done by who calls, with
// the lock of the [Cluster].
//
// What goes wrong by dice is drawn for each event and server in the order of the
// story, so it does not depend on who listens.
package mediasense
