// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// scene is the course of a call.
type scene struct {
	video bool
	brief bool        // over in the time it began
	ends  bool        // run sees to the end
	play  func(*call) // nil for an ordinary call
}

// scenes are dealt like cards: every kind once before any comes again.
var scenes = []scene{
	{},
	{video: true},
	{play: (*call).playSilences},
	{play: (*call).playSilences, video: true},
	{play: (*call).playPauses},
	{play: func(c *call) { c.playPauses(); c.playSilences() }},
	{play: (*call).playTransfers},
	{play: func(c *call) { c.playTransfers(); c.playSilences() }},
	{play: (*call).playConference},
	{play: (*call).playRemark},
	{play: (*call).playLateTag},
	{play: (*call).playTagUpdate},
	{play: (*call).playTagRemoval},
	{play: (*call).playHandover, ends: true},
	{play: (*call).playHandover, ends: true},
	{play: (*call).playFailure, ends: true},
	{brief: true},
	{play: (*call).playDeletion},
}

// playSilences lets each audio track fall silent some times, the last time maybe
// until the end.
func (c *call) playSilences() {
	for i := range c.Tracks {
		if c.Tracks[i].Media == Audio {
			c.playGaps(c.Tracks[i].Number, TrackInactive, TrackActive, 1+c.world.dice.IntN(3))
		}
	}
}

// playPauses pauses the recording once or twice, the last time maybe until the end.
func (c *call) playPauses() { c.playGaps(NoTrack, Pause, Resume, 1+c.world.dice.IntN(2)) }

// playGaps adds pairs of tags, each pair in its own part of the session.
func (c *call) playGaps(track int, begin, end string, n int) {
	w, each := c.world, c.length/time.Duration(n)
	for i := range n {
		from := time.Duration(i)*each + w.drawPart(each, 0.05, 0.45)
		c.scheduleAfter(from, func() { c.addSystemTag(begin, track) })
		if i < n-1 || w.dice.Chance(0.7) {
			until := time.Duration(i)*each + w.drawPart(each, 0.5, 0.95)
			c.scheduleAfter(until, func() { c.addSystemTag(end, track) })
		}
	}
}

// playTransfers transfers the far end once or twice.
func (c *call) playTransfers() {
	w := c.world
	for i := range 1 + w.dice.IntN(2) {
		at := w.drawPart(c.length/2, 0.1, 0.9) + time.Duration(i)*c.length/2
		c.scheduleAfter(at, func() {
			phone := w.callers.Deal(w.dice)
			for phone.ref == c.far.ref {
				phone = w.callers.Deal(w.dice)
			}
			c.replaceFarEnd(phone)
		})
	}
}

// playConference puts a conference bridge in the place of the far end.
func (c *call) playConference() {
	c.scheduleAfter(c.world.drawPart(c.length, 0.2, 0.8), func() {
		c.replaceFarEnd(phone{ref: "8001", conference: true})
	})
}

// playRemark lets the near end tag a moment.
func (c *call) playRemark() {
	w := c.world
	c.scheduleAfter(w.drawPart(c.length, 0.1, 0.9)+time.Millisecond, func() {
		c.remark = w.remarks.Deal(w.dice)
		c.addTag(Tag{Name: c.remark, User: true, At: w.now}, NoTrack)
	})
}

// playLateTag lets somebody tag the whole recording when it has ended.
func (c *call) playLateTag() {
	w := c.world
	w.scheduleAfter(c.length+w.drawDuration(w.timing.remark), func() {
		if !c.file.removed {
			c.addTag(Tag{Name: w.remarks.Deal(w.dice), User: true}, NoTrack)
		}
	})
}

// playTagUpdate lets a tag mark another moment after all.
func (c *call) playTagUpdate() {
	w := c.world
	c.playRemark()
	c.world.scheduleAfter(c.length, func() {
		if i := c.remarkIndex(); i >= 0 {
			c.Tags[i].At, c.Tags[i].Created = c.Start.Add(w.drawPart(c.length, 0.1, 0.9)+time.Millisecond), w.now
			c.emitTag(TagUpdated, c.Tags[i], NoTrack)
		}
	})
}

// playTagRemoval lets a tag be taken away.
func (c *call) playTagRemoval() {
	w := c.world
	c.playRemark()
	w.scheduleAfter(w.drawPart(c.length, 0.92, 1.1), func() {
		if i := c.remarkIndex(); i >= 0 {
			gone := c.Tags[i]
			c.Tags = slices.Delete(c.Tags, i, i+1)
			c.emitTag(TagDeleted, gone, NoTrack)
		}
	})
}

// remarkIndex finds the tag that can be changed, -1 when there is none or the
// recording is gone.
func (c *call) remarkIndex() int {
	if c.file.removed {
		return -1
	}
	return slices.IndexFunc(c.Tags, func(t Tag) bool { return t.User && t.Name == c.remark })
}

// playHandover transfers the near end: the session ends, and another one of the
// same call begins, maybe on the other server.
func (c *call) playHandover() {
	w := c.world
	c.scheduleAfter(w.drawPart(c.length, 0.3, 0.7), func() {
		c.end(ClosedNormal)
		next := &call{world: w, near: w.agents.Deal(w.dice), far: c.far}
		next.Controller, next.CCID, next.Former = c.Controller, c.CCID, c.ID
		then := scene{play: (*call).playSilences}
		if w.dice.Chance(0.3) {
			then = scene{play: (*call).playHandover, ends: true}
		}
		server := c.Server
		if w.dice.Chance(0.3) {
			server = w.dice.IntN(w.cfg.Servers)
		}
		w.scheduleAfter(w.drawDuration([2]int{20, 900}), func() { next.start(server, then) })
	})
}

// playFailure breaks the recording off.
func (c *call) playFailure() {
	c.scheduleAfter(c.world.drawPart(c.length, 0.1, 0.9), func() { c.end(ClosedError) })
}

// playDeletion is a call after which a client deletes some recordings, its own
// among them.
func (c *call) playDeletion() {
	w := c.world
	w.scheduleAfter(c.length+w.drawDuration(w.timing.remark), func() {
		w.deleteBatch(c.Server, append([]*file{c.file}, w.oldest(w.dice.IntN(3))...))
	})
}

// style is the form of call ids and devices of a call controller.
type style struct {
	controller Controller
	groups     int // of the ccid
}

var styles = []style{
	{Controller{CUCM, "192.0.2.57"}, 3}, {Controller{CUCM, "192.0.2.58"}, 3}, {Controller{CUBE, "192.0.2.70"}, 4},
}

// ccid draws a call id of ten-digit groups.
func (s style) ccid(w *World) string {
	groups := []string{fmt.Sprintf("%010d", w.dice.Uint32()), "0000065536"}
	for len(groups) < s.groups {
		groups = append(groups, fmt.Sprintf("%010d", w.dice.Uint32()))
	}
	return strings.Join(groups, "-")
}

var remarks = []string{"complaint", "sale", "Customer response", "escalation", "follow-up", "quality"}

// phone is one end of a call.
type phone struct {
	ref        string
	device     string // name with CUCM, empty outside
	conference bool
}

var agents = []phone{
	{ref: "2000", device: "SEP00AABBCCDD02"},
	{ref: "2001", device: "SEP00AABBCCDD11"},
	{ref: "2002", device: "SEP00AABBCCDD12"},
	{ref: "2003", device: "SEP00AABBCCDD13"},
	{ref: "2005", device: "SEP00AABBCCDD15"},
	{ref: "2007", device: "SEP00AABBCCDD17"},
	{ref: "sip:agent7@example.test", device: "SEP00AABBCCDD27"},
}

var callers = []phone{
	{ref: "2104", device: "SEP00AABBCCDD01"},
	{ref: "2110", device: "SEP00AABBCCDD10"},
	{ref: "5550123"},
	{ref: "+15550144"},
	{ref: "sip:kim@example.test"},
	{ref: "sip:müller@example.test"},
	{ref: "anonymous"},
}
