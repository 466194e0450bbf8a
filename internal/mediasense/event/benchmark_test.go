// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"testing"
)

// jsonEvent is what the decoder reads, as structures for encoding/json.
type jsonEvent struct {
	EventType, EventAction string
	ForwardedEvent         any
	EventBody              struct {
		SessionID          string
		SessionIDs         []string
		CallControllerIP   string
		CallControllerType string
		CCID               string
		SessionStartDate   int64
		SessionDuration    int64
		SessionState       string
		Tags               []jsonTag
		Tracks             []struct {
			TrackNumber, TrackStartDate, TrackDuration int64
			TrackMediaType, Codec, DownloadURL         string
			Tags                                       []jsonTag
			Participants                               []struct {
				DeviceRef, XRefCi, DeviceID               string
				ParticipantStartDate, ParticipantDuration int64
				IsConference                              bool
			}
		}
		URLs []map[string]string
	}
}

type jsonTag struct {
	TagName, TagType         string
	TagCreateDate, TagOffset int64
}

var bodies = [...]string{"session-started.json", "session-ended.json", "tag-added-track.json", "storage-enter-low.json"}

func BenchmarkDecode(b *testing.B) {
	for _, name := range bodies {
		body := fixture(b, name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var d Decoder
			for b.Loop() {
				if batch := d.Decode(body); len(batch.Events) != 1 {
					b.Fatal("not read")
				}
			}
		})
	}
}

// BenchmarkEncodingJSON reads the documented elements into structures, and
// everything into a tree, which is what keeps the others.
func BenchmarkEncodingJSON(b *testing.B) {
	for _, name := range bodies {
		body := []byte(fixture(b, name))
		b.Run("structures/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var e jsonEvent
				if err := json.Unmarshal(body, &e); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("tree/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var e any
				if err := json.Unmarshal(body, &e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkKeys(b *testing.B) {
	for _, name := range bodies {
		e := one(b, fixture(b, name))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var keys []Key
			for b.Loop() {
				keys = e.Keys(keys[:0])
			}
		})
	}
}
