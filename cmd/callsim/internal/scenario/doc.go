// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package scenario plays what happens in a cluster of Call Bridges: meetings
// convene, people arrive on several bridges, wait in a menu or a lobby, share a
// screen, are moved, and leave; bridges link their halves of a meeting, record
// it, stream it, are scanned by strangers and restart.
//
// It knows nothing of any wire format. A [World] yields typed [Event] values in
// the order of simulated time; whoever tells the story (call detail records
// today, other interfaces later) translates them and keeps what state it needs
// by folding them.
//
// Ordering: events come in non-decreasing [Event.At]; events of one moment come
// in the order in which a bridge would report them. Ownership: an Event holds
// copies, so it may be kept; only the slices inside a [Leg] are shared, and they
// are never written again below their length. A World belongs to one goroutine.
//
// [Lively] adds how people behave in their meetings, for those who tell of that;
// it changes nothing of the story.
//
// Everything is drawn from one seed: the same [Config] gives the same events.
package scenario
