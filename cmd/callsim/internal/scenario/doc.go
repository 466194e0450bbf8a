// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package scenario simulates the meetings of a cluster of Call Bridges: people arrive on
// several bridges, wait in a menu or a lobby, share a screen, are moved, and leave.
// Bridges link their calls of a meeting, record it, stream it, are scanned by strangers
// and restart.
//
// It knows no wire format. A [World] yields typed [Event] values in the order of simulated
// time. Each consumer translates them into its format, and keeps the state that it needs.
//
// Order: events have a non-decreasing [Event.At]; events of one time come in the order in
// which a bridge would report them. Ownership: an Event holds copies, so a consumer may
// keep it. Only the slices inside a [Leg] are shared, and they are never modified below
// their length. A World belongs to one goroutine and never blocks.
//
// [WithBehavior] adds the behavior of people in their meetings between the events of a World.
//
// Everything is drawn from one seed: the same [Config] gives the same events.
// scenario_test.go checks the rules of a scenario for many seeds.
package scenario
