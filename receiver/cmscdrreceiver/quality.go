// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"strconv"

	"github.com/legato-otel/legato/internal/meetingserver/cdr"
)

// States of an ended call leg in call_leg.quality.
const (
	qualityGood     = "good"
	qualityDegraded = "degraded"
	qualityBad      = "bad"
)

var qualityStates = [...]string{qualityGood, qualityDegraded, qualityBad}

// badRatio is the share of a leg's time in alarm from which its quality is bad: six minutes
// of an hour. The thresholds of Cisco's alarms are adaptive, so a short alarm may not be
// a bad experience.
const badRatio = 0.1

// qualityOf returns the state of a leg with alarms. An alarm without a readable share of the
// leg's time counts as a short one.
func qualityOf(alarms []legAlarm) string {
	for k := range alarms {
		if ratio, ok := alarms[k].ratio(); ok && ratio >= badRatio {
			return qualityBad
		}
	}
	return qualityDegraded
}

// wasActivatedLabel returns the label that reports whether the leg passed set-up, lobby and IVR: it
// has activated time or, in records of releases that do not send that, media. It returns ""
// if the activated time cannot be read.
func (e *legEnd) wasActivatedLabel() string {
	switch {
	case isPlausibleDuration(e.activatedDuration):
		return strconv.FormatBool(e.activatedDuration.Double() > 0)
	case e.hasMedia:
		return labelTrue
	case e.activatedDuration != (cdr.Value{}):
		return ""
	default:
		return labelFalse
	}
}
