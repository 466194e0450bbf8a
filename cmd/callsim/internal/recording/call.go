// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"fmt"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// call is a session that is being recorded.
type call struct {
	Session
	world  *World
	file   *file
	length time.Duration // unless something cuts it short
	near   phone
	far    phone
	remark string // the tag that can be changed, empty when there is none
}

// scheduleNextCall starts a call and schedules the one after it.
func (w *World) scheduleNextCall() {
	if w.closed {
		return
	}
	w.scheduleAfter(w.drawDuration(w.timing.pause), w.scheduleNextCall)
	scene, style := w.scenes.Deal(w.dice), w.styles.Deal(w.dice)
	w.calls++
	c := &call{world: w, near: w.agents.Deal(w.dice), far: w.callers.Deal(w.dice)}
	c.Controller, c.CCID = style.controller, style.ccid(w)
	c.start(w.dice.IntN(w.cfg.Servers), scene)
}

// start starts the recording on a server, or on another one with a free disk.
func (c *call) start(server int, s scene) {
	w := c.world
	d := w.diskWithRoom(server)
	if d == nil {
		w.refused++
		return
	}
	w.sessions++
	c.Server = d.server
	c.ID = w.hexID(w.sessions, d.server)
	if c.Controller.Type == CUCM && w.dice.Chance(0.2) {
		c.ID = fmt.Sprintf("Session-%d-%s-%d", w.sessions, d.Address, w.now.UnixMilli())
	}
	c.Start, c.State = w.now, Active
	c.length = w.drawDuration(w.timing.length)
	c.Tracks = c.newTracks(s.video)
	c.file = &file{session: c.ID, disk: d, began: w.now, open: true, rate: bytesPerMillisecond(c.Tracks)}
	d.files = append(d.files, c.file)
	w.running = append(w.running, c)
	w.emit(c.Server, Started{Session: c.clone()})
	if s.brief {
		c.end(ClosedNormal)
		return
	}
	if s.play != nil {
		s.play(c)
	}
	if !s.ends {
		c.scheduleAfter(c.length, func() { c.end(ClosedNormal) })
	}
}

// scheduleAfter schedules an action that runs only if the session is still open.
func (c *call) scheduleAfter(wait time.Duration, do func()) {
	c.world.scheduleAfter(wait, func() {
		if c.State == Active {
			do()
		}
	})
}

// end ends the recording; the call may continue.
func (c *call) end(state State) {
	w := c.world
	c.Session.end(w.now, state)
	c.file.close(w.now)
	w.finished = append(w.finished, c.file)
	w.running = slices.DeleteFunc(w.running, func(x *call) bool { return x == c })
	w.emit(c.Server, Ended{Session: c.clone()})
}

// newTracks makes the tracks of a session that begins. With CUCM track 0 is the
// near end; with CUBE either.
func (c *call) newTracks(video bool) []Track {
	w := c.world
	ends := []phone{c.near, c.far}
	codec := chance.Pick(w.dice, []string{"PCMU", "PCMA", "G722"})
	if c.Controller.Type == CUBE {
		codec = ""
		if w.dice.Chance(0.5) {
			slices.Reverse(ends)
		}
	}
	var list []Track
	for number, phone := range ends {
		list = append(list, Track{
			Number: number, Media: Audio, Codec: codec, Start: w.now,
			Participants: []Participant{c.newParticipant(phone, true)},
		})
	}
	if video {
		for number, phone := range ends {
			list = append(list, Track{
				Number: number + len(ends), Media: Video, Codec: "H264", Start: w.now,
				Participants: []Participant{c.newParticipant(phone, true)},
			})
		}
	}
	if w.dice.Chance(0.5) { // their order means nothing
		slices.Reverse(list)
	}
	return list
}

// newParticipant makes somebody who arrives now.
func (c *call) newParticipant(phone phone, first bool) Participant {
	w := c.world
	p := Participant{DeviceRef: phone.ref, Conference: phone.conference, Start: w.now}
	w.calls++
	if c.Controller.Type == CUBE {
		p.XRefCi = w.hexID(w.calls, c.Server)
		return p
	}
	p.XRefCi = fmt.Sprintf("4%07d", w.calls)
	if first {
		p.DeviceID = phone.device
	}
	return p
}

// replaceFarEnd replaces the device at the far end.
func (c *call) replaceFarEnd(phone phone) {
	for i := range c.Tracks {
		t := &c.Tracks[i]
		last := &t.Participants[len(t.Participants)-1]
		if last.DeviceRef != c.far.ref {
			continue
		}
		last.End = c.world.now
		t.Participants = append(t.Participants, c.newParticipant(phone, false))
	}
	c.far = phone
	c.world.emit(c.Server, Updated{Session: c.clone(), Present: c.world.dice.Chance(0.5)})
}

// addTag adds a tag to the session, or to the track with a number.
func (c *call) addTag(tag Tag, track int) {
	tag.Created = c.world.now
	if track == NoTrack {
		c.Tags = append(c.Tags, tag)
	} else {
		i := slices.IndexFunc(c.Tracks, func(t Track) bool { return t.Number == track })
		c.Tracks[i].Tags = append(c.Tracks[i].Tags, tag)
	}
	c.emitTag(TagAdded, tag, track)
}

func (c *call) emitTag(action TagAction, tag Tag, track int) {
	c.world.emit(c.Server, Tagged{Session: c.ID, Start: c.Start, Track: track, Action: action, Tag: tag})
}

// addSystemTag adds one of the system's own tags.
func (c *call) addSystemTag(name string, track int) {
	c.addTag(Tag{Name: name, At: c.world.now}, track)
}
