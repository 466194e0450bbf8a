// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/mediasense"
	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
)

// WatchRecordings makes the recorder follow the MediaSense servers too.
func (r *Recorder) WatchRecordings() {
	r.recorded = &recordings{byID: map[string]*RecordedSession{}, thresholds: map[recording.Disk]map[string]int{}, percent: map[recording.Disk]int{}}
}

// ObserveRecording takes in one event of the scenario of recordings.
func (r *Recorder) ObserveRecording(ev recording.Event) { r.recorded.applyEvent(ev) }

// MediaSense is the truth about the MediaSense servers, nil without them.
func (r *Recorder) MediaSense(report mediasense.Report, disks []recording.Usage, refused int) *MediaSense {
	if r.recorded == nil {
		return nil
	}
	return r.recorded.result(report, disks, refused)
}

// recordings applies the scenario of recordings.
type recordings struct {
	sessions   []*RecordedSession
	byID       map[string]*RecordedSession
	thresholds map[recording.Disk]map[string]int
	percent    map[recording.Disk]int // of the last threshold
}

func (r *recordings) applyEvent(ev recording.Event) {
	switch payload := ev.Payload.(type) {
	case recording.Started:
		s := &RecordedSession{ID: payload.Session.ID, last: payload.Session}
		r.sessions = append(r.sessions, s)
		r.byID[s.ID] = s
	case recording.Updated:
		r.byID[payload.Session.ID].last = payload.Session
	case recording.Ended:
		r.byID[payload.Session.ID].last = payload.Session
	case recording.Tagged:
		r.byID[payload.Session].applyTag(payload)
	case recording.Removed:
		r.remove(payload)
	case recording.Crossed:
		if r.thresholds[payload.Disk] == nil {
			r.thresholds[payload.Disk] = map[string]int{}
		}
		r.thresholds[payload.Disk][payload.Threshold.Action()]++
		r.percent[payload.Disk] = payload.Percent
	}
}

func (r *recordings) remove(payload recording.Removed) {
	gone := "deleted"
	if payload.Pruned {
		gone = "pruned"
	}
	for _, id := range payload.IDs {
		if s := r.byID[id]; s != nil {
			s.Gone = gone
		}
	}
}

// applyTag changes the tags of a session, or of a track of it.
func (s *RecordedSession) applyTag(payload recording.Tagged) {
	list := &s.last.Tags
	if i := slices.IndexFunc(s.last.Tracks, func(t recording.Track) bool { return t.Number == payload.Track }); i >= 0 {
		list = &s.last.Tracks[i].Tags
	}
	at := slices.IndexFunc(*list, func(t recording.Tag) bool { return t.User && t.Name == payload.Tag.Name })
	switch {
	case payload.Action == recording.TagAdded:
		*list = append(slices.Clip(*list), payload.Tag)
	case at < 0:
	case payload.Action == recording.TagUpdated:
		*list = slices.Clone(*list)
		(*list)[at] = payload.Tag
	case payload.Action == recording.TagDeleted:
		*list = slices.Delete(slices.Clone(*list), at, at+1)
	}
}

func (r *recordings) result(report mediasense.Report, disks []recording.Usage, refused int) *MediaSense {
	m := &MediaSense{
		Sessions: orEmpty(r.sessions), Refused: refused, Happened: report.Happened, Distinct: report.Arrived,
		EndedByState: report.States, AddedByTagType: report.Tags, Deleted: report.Deleted, Pruned: report.Pruned,
		Disks: []RecordedDisk{}, Missed: []MissedEvent{}, Servers: report.Accounts,
	}
	m.MalformedDistinct = report.Damaged
	for _, a := range report.Accounts {
		m.Malformed += a.Malformed
	}
	for _, missed := range report.Missed {
		m.Missed = append(m.Missed, MissedEvent{
			Event: missed.Kind.String(), Time: missed.At, Sessions: orEmpty(missed.Sessions), InDoubt: missed.Tried,
		})
		for _, id := range missed.Sessions {
			if s := r.byID[id]; s != nil {
				s.Missed = append(s.Missed, missed.Kind.String())
			}
		}
	}
	for _, s := range r.sessions {
		s.finish()
	}
	for _, d := range disks {
		m.Disks = append(m.Disks, r.disk(d))
	}
	return m
}

func (r *recordings) disk(u recording.Usage) RecordedDisk {
	d := RecordedDisk{
		NodeID: u.Disk.Node, NodeAddress: u.Disk.Address, Partition: u.Disk.Partition,
		State: u.Level.String(), Utilization: u.Ratio, Thresholds: r.thresholds[u.Disk],
	}
	if d.Thresholds == nil {
		d.Thresholds = map[string]int{}
	} else {
		percent := r.percent[u.Disk]
		d.LastPercent = &percent
	}
	return d
}

// finish records the final state of the session.
func (s *RecordedSession) finish() {
	last := s.last
	s.Server, s.CCID, s.Former = serverName(last.Server), last.CCID, last.Former
	s.ControllerType, s.ControllerAddress = string(last.Controller.Type), last.Controller.Address
	s.State, s.Missed = string(last.State), orEmpty(s.Missed)
	s.StartUnixNano, s.EndUnixNano = last.Start.UnixNano(), nano(last.End)
	s.Tags = tags(last.Tags)
	s.Pauses = gaps(last.Tags, recording.Pause, recording.Resume, last.End)
	s.PausedSeconds = seconds(s.Pauses)
	s.Tracks = []RecordedTrack{}
	for _, t := range last.Tracks {
		s.Tracks = append(s.Tracks, track(t))
	}
	slices.SortFunc(s.Tracks, func(a, b RecordedTrack) int { return a.Number - b.Number })
}

func serverName(index int) string { return "ms" + string(rune('1'+index)) }

func track(t recording.Track) RecordedTrack {
	out := RecordedTrack{
		Number: t.Number, Media: t.Media, Codec: t.Codec, StartUnixNano: t.Start.UnixNano(), EndUnixNano: nano(t.End),
		Participants: []RecordedParticipant{}, Tags: tags(t.Tags), Silences: gaps(t.Tags, recording.TrackInactive, recording.TrackActive, t.End),
	}
	out.SilentSeconds = seconds(out.Silences)
	for _, p := range t.Participants {
		out.Participants = append(out.Participants, RecordedParticipant{
			DeviceRef: p.DeviceRef, XRefCi: p.XRefCi, DeviceID: p.DeviceID, Conference: p.Conference,
			StartUnixNano: p.Start.UnixNano(), EndUnixNano: nano(p.End),
		})
	}
	return out
}

func tags(list []recording.Tag) []RecordedTag {
	out := []RecordedTag{}
	for _, t := range list {
		kind := "SYSTEM_DEFINED"
		if t.User {
			kind = "USER_DEFINED"
		}
		out = append(out, RecordedTag{Name: t.Name, Type: kind, CreateUnixNano: t.Created.UnixNano(), AtUnixNano: nano(t.At)})
	}
	return out
}

// gaps pairs the tags that begin and end something; a recording that nothing ends continues to
// the end of the run.
func gaps(list []recording.Tag, begin, end string, over time.Time) []RecordedGap {
	out := []RecordedGap{}
	for _, t := range list {
		switch {
		case t.Name == begin:
			out = append(out, RecordedGap{StartUnixNano: t.At.UnixNano(), EndUnixNano: nano(over)})
		case t.Name == end && len(out) > 0:
			out[len(out)-1].EndUnixNano = t.At.UnixNano()
		}
	}
	return out
}

// seconds adds up the gaps that have an end.
func seconds(list []RecordedGap) float64 {
	sum := int64(0)
	for _, g := range list {
		if g.EndUnixNano > 0 {
			sum += g.EndUnixNano - g.StartUnixNano
		}
	}
	return time.Duration(sum).Seconds()
}

func nano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
