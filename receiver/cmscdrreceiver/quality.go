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

// badRatio is the part of a leg's time in alarm from which its quality is bad: six
// minutes of an hour. Thresholds of Cisco's alarms are adaptive, so that a short
// alarm need not be a bad experience.
const badRatio = 0.1

// qualityOf returns the state of a leg with alarms. An alarm without a readable
// part of the leg's time is a short one.
func qualityOf(alarms []legAlarm) string {
	for k := range alarms {
		if ratio, ok := alarms[k].ratio(); ok && ratio >= badRatio {
			return qualityBad
		}
	}
	return qualityDegraded
}

// wasActivated returns whether the leg got past set-up, lobby and IVR: it has
// activated time or, in records of releases that do not send that, media. "" stands
// for an activated time that cannot be read.
func (e *legEnd) wasActivated() string {
	switch {
	case isDuration(e.activated):
		return strconv.FormatBool(e.activated.Double() > 0)
	case e.hasMedia:
		return isTrueText
	case e.activated != (cdr.Value{}):
		return ""
	default:
		return isFalseText
	}
}
