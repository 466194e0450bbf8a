// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// timeline is how a leg spent its time, in nanoseconds.
type timeline struct {
	setup     int64 // from the start to the connection; -1 if there was none
	ivr       int64 // in the voice menu (IVR)
	lobby     int64 // waiting for an activator
	connected bool
}

// timelineOf computes the timeline of a leg from its statements. A record that names the menu
// or a call tells where the leg is until the next such record. The leg is in the lobby while
// it is deactivated and not in the menu.
func timelineOf(f *factsCodec, start, end int64) (line timeline) {
	var inMenu, deactivated bool
	since := start
	spend := func(until int64) {
		spent := max(0, until-since)
		switch {
		case inMenu:
			line.ivr += spent
		case deactivated:
			line.lobby += spent
		}
		since = max(since, until)
	}
	for i := range f.statements {
		s := &f.statements[i]
		spend(min(s.time, end))
		for _, e := range s.attributes {
			switch e.key {
			case keyCall:
				inMenu = false
			case keyIVR:
				inMenu = true
			case keyDeactivated:
				deactivated = isTrue(e.raw)
			case keyState:
				if !line.connected && equalsText(e.raw, "connected") {
					line.connected, line.setup = true, max(0, s.time-start)
				}
			}
		}
	}
	spend(end)
	return line
}
