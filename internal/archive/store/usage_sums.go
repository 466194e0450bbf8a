// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

// Functions that cut legs to a day and add them up. They read no database.

import (
	"cmp"
	"slices"
	"time"
)

// startOfDay is midnight UTC.
func startOfDay(t time.Time) time.Time { return t.UTC().Truncate(day) }

// usageLeg is a leg that usage is added up from.
type usageLeg struct {
	trace, bridge, tenant, tag string
	from, to                   time.Time
	inMeeting                  bool
	// billed is from when on a participant is in the meeting; to for none.
	billed time.Time
}

// clip cuts a leg to a time.
func (l *usageLeg) clip(from, to time.Time) {
	if l.from.Before(from) {
		l.from = from
	}
	if l.billed.Before(from) {
		l.billed = from
	}
	if l.to.After(to) {
		l.to = to
	}
	if l.billed.After(l.to) {
		l.billed = l.to
	}
}

// usageGroup is a scope and a value of it.
type usageGroup struct{ scope, value string }

// dayUsage is one day's usage.
type dayUsage struct {
	hours map[usageGroup]*[24]UsageHour
	tags  map[TagUsage]*TagUsage // by tenant and tag alone
}

// addUpDay adds up the legs that ran on a day. They are clipped to it.
func addUpDay(start time.Time, legs []usageLeg) dayUsage {
	u := dayUsage{map[usageGroup]*[24]UsageHour{}, map[TagUsage]*TagUsage{}}
	groups := map[usageGroup][]usageLeg{}
	meetings := map[TagUsage]map[string]struct{}{}
	for i := range legs {
		l := &legs[i]
		groups[usageGroup{UsageAll, ""}] = append(groups[usageGroup{UsageAll, ""}], *l)
		if l.bridge != "" {
			groups[usageGroup{UsageBridge, l.bridge}] = append(groups[usageGroup{UsageBridge, l.bridge}], *l)
		}
		if l.tenant != "" {
			groups[usageGroup{UsageTenant, l.tenant}] = append(groups[usageGroup{UsageTenant, l.tenant}], *l)
		}
		if seconds := l.to.Sub(l.billed).Seconds(); seconds > 0 {
			key := TagUsage{TenantID: l.tenant, Tag: l.tag}
			if u.tags[key] == nil {
				u.tags[key], meetings[key] = &TagUsage{TenantID: l.tenant, Tag: l.tag}, map[string]struct{}{}
			}
			u.tags[key].Legs++
			u.tags[key].ParticipantSeconds += seconds
			meetings[key][l.trace] = struct{}{}
		}
	}
	for key, traces := range meetings {
		u.tags[key].Meetings = int64(len(traces))
	}
	for group, of := range groups {
		u.hours[group] = addUpHours(start, of)
	}
	return u
}

// change of the number of legs at once.
type change struct {
	at    time.Time
	leg   int64 // +1 or -1
	trace string
}

func addUpHours(start time.Time, legs []usageLeg) *[24]UsageHour {
	var hours [24]UsageHour
	var changes []change
	for i := range hours {
		hours[i].At = start.Add(time.Duration(i) * time.Hour)
	}
	for i := range legs {
		l := &legs[i]
		trace := l.trace
		if !l.inMeeting {
			trace = ""
		}
		changes = append(changes, change{l.from, 1, trace}, change{l.to, -1, trace})
		for h := range hours {
			from, to := latest(l.billed, hours[h].At), earlier(l.to, hours[h].At.Add(time.Hour))
			if to.After(from) {
				hours[h].ParticipantSeconds += to.Sub(from).Seconds()
			}
		}
	}
	// Who leaves when another one comes does not run beside it.
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.leg, b.leg)) })
	var running, meetings int64
	inMeeting := map[string]int64{}
	next := 0
	for h := range hours {
		end := hours[h].At.Add(time.Hour)
		hours[h].PeakLegs, hours[h].PeakMeetings = running, meetings
		for ; next < len(changes) && changes[next].at.Before(end); next++ {
			c := &changes[next]
			running += c.leg
			if c.trace != "" {
				before := inMeeting[c.trace]
				inMeeting[c.trace] += c.leg
				switch {
				case before == 0:
					meetings++
				case before+c.leg == 0:
					meetings--
				}
			}
			hours[h].PeakLegs, hours[h].PeakMeetings = max(hours[h].PeakLegs, running), max(hours[h].PeakMeetings, meetings)
		}
	}
	return &hours
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
