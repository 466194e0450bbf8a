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
	switch what := ev.What.(type) {
	case recording.Started:
		s := &RecordedSession{ID: what.Session.ID, last: what.Session}
		r.sessions = append(r.sessions, s)
		r.byID[s.ID] = s
	case recording.Updated:
		r.byID[what.Session.ID].last = what.Session
	case recording.Ended:
		r.byID[what.Session.ID].last = what.Session
	case recording.Tagged:
		r.byID[what.Session].applyTag(what)
	case recording.Removed:
		r.remove(what)
	case recording.Crossed:
		if r.thresholds[what.Disk] == nil {
			r.thresholds[what.Disk] = map[string]int{}
		}
		r.thresholds[what.Disk][what.Threshold.Action()]++
		r.percent[what.Disk] = what.Percent
	}
}

func (r *recordings) remove(what recording.Removed) {
	gone := "deleted"
	if what.Pruned {
		gone = "pruned"
	}
	for _, id := range what.IDs {
		if s := r.byID[id]; s != nil {
			s.Gone = gone
		}
	}
}

// applyTag changes the tags of a session, or of a track of it.
func (s *RecordedSession) applyTag(what recording.Tagged) {
	list := &s.last.Tags
	if i := slices.IndexFunc(s.last.Tracks, func(t recording.Track) bool { return t.Number == what.Track }); i >= 0 {
		list = &s.last.Tracks[i].Tags
	}
	at := slices.IndexFunc(*list, func(t recording.Tag) bool { return t.User && t.Name == what.Tag.Name })
	switch {
	case what.Action == recording.TagAdded:
		*list = append(slices.Clip(*list), what.Tag)
	case at < 0:
	case what.Action == recording.TagUpdated:
		*list = slices.Clone(*list)
		(*list)[at] = what.Tag
	case what.Action == recording.TagDeleted:
		*list = slices.Delete(slices.Clone(*list), at, at+1)
	}
}

func (r *recordings) result(report mediasense.Report, disks []recording.Usage, refused int) *MediaSense {
	m := &MediaSense{
		Sessions: list(r.sessions), Refused: refused, Happened: report.Happened, Distinct: report.Arrived,
		EndedByState: report.States, AddedByTagType: report.Tags, Deleted: report.Deleted, Pruned: report.Pruned,
		Disks: []RecordedDisk{}, Missed: []MissedEvent{}, Servers: report.Accounts,
	}
	m.MalformedDistinct = report.Damaged
	for _, a := range report.Accounts {
		m.Malformed += a.Malformed
	}
	for _, missed := range report.Missed {
		m.Missed = append(m.Missed, MissedEvent{
			Event: missed.Kind.String(), Time: missed.At, Sessions: list(missed.Sessions), InDoubt: missed.Tried,
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
	is := s.last
	s.Server, s.CCID, s.Former = serverName(is.Server), is.CCID, is.Former
	s.ControllerType, s.ControllerAddress = string(is.Controller.Type), is.Controller.Address
	s.State, s.Missed = string(is.State), list(s.Missed)
	s.StartUnixNano, s.EndUnixNano = is.Start.UnixNano(), nano(is.End)
	s.Tags = tags(is.Tags)
	s.Pauses = gaps(is.Tags, recording.Pause, recording.Resume, is.End)
	s.PausedSeconds = seconds(s.Pauses)
	s.Tracks = []RecordedTrack{}
	for _, t := range is.Tracks {
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
