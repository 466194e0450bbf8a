// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

func sessionKey(path string) string { return names.Attribute(names.KindSession, path) }
func trackKey(path string) string   { return names.Attribute(names.KindTrack, path) }

var sessionFields = fields[store.Session]{
	names.MediaSenseCCID:             func(r *store.Session) any { return &r.CCID },
	sessionKey("callControllerIP"):   func(r *store.Session) any { return &r.ControllerAddress },
	sessionKey("callControllerType"): func(r *store.Session) any { return &r.ControllerType },
	names.MediaSenseState:            func(r *store.Session) any { return &r.MediaState },
	names.ErrorType:                  func(r *store.Session) any { return &r.ErrorType },
	names.MediaSenseTags:             func(r *store.Session) any { return &r.Tags },
	names.MediaSenseURLs:             func(r *store.Session) any { return &r.URLs },
	names.SpanLinks:                  func(r *store.Session) any { return &r.Links },
}

func (c *converter) addSession(lr plog.LogRecord, phase store.Phase) bool {
	var row store.Session
	if !fill(c, lr, phase, names.KindSession, names.MediaSenseSessionID, &row, &row.Object, sessionFields) {
		return false
	}
	setDates(&row.Object, lr.Attributes(), names.MediaSenseStartDate, names.MediaSenseDuration)
	var parties parties
	if tracks, ok := lr.Attributes().Get(names.MediaSenseTracks); ok {
		for _, track := range itemsOf(tracks) {
			if participants, ok := track.Get(elementParticipants); ok {
				parties.add(participants)
			}
		}
	}
	row.Parties = parties.text()
	c.batch.Sessions = append(c.batch.Sessions, row)
	return true
}

var trackFields = fields[store.Track]{
	names.MediaSenseSessionID:         func(r *store.Track) any { return (*identifier)(&r.SessionID) },
	names.MediaSenseTrackNumber:       func(r *store.Track) any { return &r.TrackNumber },
	trackKey("trackMediaType"):        func(r *store.Track) any { return &r.MediaType },
	trackKey("codec"):                 func(r *store.Track) any { return &r.Codec },
	trackKey("downloadUrl"):           func(r *store.Track) any { return &r.DownloadURL },
	names.MediaSenseTrackParticipants: func(r *store.Track) any { return &r.Participants },
	names.MediaSenseTrackTags:         func(r *store.Track) any { return &r.Tags },
}

func (c *converter) addTrack(lr plog.LogRecord, phase store.Phase) bool {
	var row store.Track
	if !fill(c, lr, phase, names.KindTrack, names.MediaSenseTrackID, &row, &row.Object, trackFields) {
		return false
	}
	setDates(&row.Object, lr.Attributes(), names.MediaSenseTrackStartDate, names.MediaSenseTrackDuration)
	if participants, ok := lr.Attributes().Get(names.MediaSenseTrackParticipants); ok {
		var parties parties
		parties.add(participants)
		row.Parties = parties.text()
	}
	c.batch.Tracks = append(c.batch.Tracks, row)
	return true
}

// mostMilliseconds is the longest time.Duration, 292 years.
const mostMilliseconds = float64(math.MaxInt64 / int64(time.Millisecond))

// setDates sets the times of a session or track from MediaSense's dates, in milliseconds, not
// from the times of the records. A stitched record has its own.
func setDates(o *store.Object, attributes pcommon.Map, startKey, durationKey string) {
	if o.Phase == store.Stitched {
		return
	}
	v, ok := attributes.Get(startKey)
	if !ok {
		return
	}
	start, ok := milliseconds(v)
	if !ok {
		return
	}
	o.StartedAt = start
	if o.Phase != store.Ended {
		return
	}
	if v, ok = attributes.Get(durationKey); ok {
		if duration, ok := number(v); ok && duration >= 0 && duration <= mostMilliseconds && duration < float64(maxUnixMilli-start.UnixMilli()) {
			o.EndedAt = start.Add(time.Duration(duration) * time.Millisecond)
		}
	}
}

// Elements of a track and of a participant, as the receiver spells them.
var (
	elementParticipants = names.Snake("participants")
	elementDeviceRef    = names.Snake("deviceRef")
)

// parties are the far ends of tracks, each once, in the order in which they are
// named.
type parties struct{ found []string }

func (p *parties) add(participants pcommon.Value) {
	for _, participant := range itemsOf(participants) {
		if v, ok := participant.Get(elementDeviceRef); ok {
			if party := clean(v.AsString()); party != "" && !slices.Contains(p.found, party) {
				p.found = append(p.found, party)
			}
		}
	}
}

// text is cut where it is too long: the attributes have all of it.
func (p *parties) text() string {
	short, _ := cut(strings.Join(p.found, ", "))
	return short
}

// itemsOf returns the maps of a list; none if it is something else.
func itemsOf(list pcommon.Value) (items []pcommon.Map) {
	if list.Type() != pcommon.ValueTypeSlice {
		return nil
	}
	for _, item := range list.Slice().All() {
		if item.Type() == pcommon.ValueTypeMap {
			items = append(items, item.Map())
		}
	}
	return items
}

// Levels of a node's storage, from one threshold to the next.
var levelAfter = map[string]string{
	names.EventStorageEnterLow:       "low",
	names.EventStorageExitLow:        "normal",
	names.EventStorageEnterCritical:  "critical",
	names.EventStorageExitCritical:   "low",
	names.EventStorageEnterEmergency: "emergency",
	names.EventStorageExitEmergency:  "critical",
}

func (c *converter) addStorageEvent(lr plog.LogRecord, _ store.Phase) bool {
	name := lr.EventName()
	row := store.StorageEvent{
		At: timeOf(lr), Server: c.source.bridge, Level: levelAfter[name], Action: name[strings.LastIndexByte(name, '.')+1:],
	}
	for key, field := range map[string]any{
		names.MediaSenseStorageNodeID: &row.NodeID, names.MediaSenseStorageNodeAddress: &row.NodeAddress,
		names.MediaSenseStoragePartition: &row.Partition, names.MediaSenseStoragePercentage: &row.UtilizationPercent,
	} {
		if v, ok := lr.Attributes().Get(key); ok {
			set(field, v)
		}
	}
	// The same event may come by way of either server.
	sum := sha256.Sum256([]byte(strings.Join([]string{
		row.At.Format(time.RFC3339Nano), row.NodeID, row.NodeAddress, row.Partition, row.Action,
	}, "\x00")))
	row.ID = hex.EncodeToString(sum[:16])
	c.batch.StorageEvents = append(c.batch.StorageEvents, row)
	return true
}
