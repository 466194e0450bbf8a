// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/legato-otel/legato/cmd/callsim/internal/bridge"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
	"github.com/legato-otel/legato/cmd/callsim/internal/wire"
)

// countRecords counts the records of every session by running the scenario once in advance.
// For a scenario without end it assumes enough records for the faults to happen soon.
func countRecords(opts options) []bridge.Stretch {
	const assumed = 400
	wanted := max(opts.faults.Overflow, opts.faults.Garbage)
	if wanted == 0 {
		return nil
	}
	var list []bridge.Stretch
	at := map[string]int{}
	world := scenario.New(opts.scenario())
	for i, session := range world.Sessions() {
		at[session] = i
		list = append(list, bridge.Stretch{Session: session})
	}
	if opts.meetings == 0 {
		for i := range list {
			list[i].Records = uint64(assumed * wanted)
		}
		return list
	}
	for ev := range opts.scenarioEvents(world, false) {
		if _, ok := at[ev.Session]; !ok {
			at[ev.Session] = len(list)
			list = append(list, bridge.Stretch{Session: ev.Session})
		}
		if _, ok := wire.Encode(ev); ok {
			list[at[ev.Session]].Records++
		}
	}
	return list
}
