// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package mediasense simulates the MediaSense servers of a recording scenario: it posts
// their events to subscribers, and serves the part of the API for subscriptions.
//
// Delivery is at most once: an event without a 2xx answer is lost. Each server sends the
// session events of its own recordings. It also sends the tag and storage events of its
// peers, marked as forwarded. Each subscription has one goroutine that posts one event
// after the other. Everything else runs in the caller's goroutine, with the lock of the
// [Cluster]; nothing waits while it is held. AwaitRoom, AwaitSubscribers and Drain wait
// until their context ends.
//
// Random faults are drawn for each event and server in the order of the scenario, so they
// do not depend on the subscribers. rules_test.go tests the API and the faults,
// shapes_test.go the form of the events.
package mediasense
