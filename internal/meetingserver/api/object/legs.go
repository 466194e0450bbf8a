// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object

// CallLeg is an entry of /callLegs, or /callLegs/ID with what follows its Alarms.
type CallLeg struct {
	ID, Name, RemoteParty, OriginalRemoteParty, Call, Tenant string
	// Alarms are those of the list; the server decides by rules of its own.
	Alarms LegAlarms

	Type         string
	SubType      string
	LyncSubType  string
	Direction    string
	LocalAddress string
	Status       LegStatus
}

// LegAlarms says which alarms of a leg are active.
type LegAlarms struct {
	PacketLoss, ExcessiveJitter, HighRoundTripTime bool
}

// LegStatus is the status of a leg's details.
type LegStatus struct {
	State           string
	DurationSeconds *int64
	SIPCallID       string
	// GroupID is the id of the participant.
	GroupID                           string
	Recording, Streaming, Deactivated *bool
	EncryptedMedia, UnencryptedMedia  *bool
	CipherSuite, ActiveLayout         string
	AvailableVideoStreams             *int64
	RxAudio, TxAudio                  *Media
	RxVideo, TxVideo                  []Media
}

// Media is one stream of a leg. Loss, jitter and round trip time of a stream that
// is sent are the far end's view.
type Media struct {
	// Role of video: main or presentation.
	Role  string
	Codec string
	// PacketLossPercentage is a percentage with one decimal.
	PacketLossPercentage *float64
	// Jitter and RoundTripTime are in milliseconds.
	Jitter, RoundTripTime *float64
	// BitRate is in bit/s.
	BitRate       *int64
	Width, Height *int64
	FrameRate     *float64
}

func (l *CallLeg) fields() fields {
	s := &l.Status
	return fields{
		"id": text(&l.ID), "name": text(&l.Name), "remoteparty": text(&l.RemoteParty), "originalremoteparty": text(&l.OriginalRemoteParty),
		"call": text(&l.Call), "tenant": text(&l.Tenant),
		"alarms/packetloss": present(&l.Alarms.PacketLoss), "alarms/excessivejitter": present(&l.Alarms.ExcessiveJitter),
		"alarms/highroundtriptime": present(&l.Alarms.HighRoundTripTime),
		"type":                     text(&l.Type), "subtype": text(&l.SubType), "lyncsubtype": text(&l.LyncSubType),
		"direction": text(&l.Direction), "status/direction": text(&l.Direction), "localaddress": text(&l.LocalAddress),
		"status/state": text(&s.State), "status/durationseconds": count(&s.DurationSeconds),
		"status/sipcallid": text(&s.SIPCallID), "status/groupid": text(&s.GroupID),
		"status/recording": truth(&s.Recording), "status/streaming": truth(&s.Streaming), "status/deactivated": truth(&s.Deactivated),
		"status/encryptedmedia": truth(&s.EncryptedMedia), "status/unencryptedmedia": truth(&s.UnencryptedMedia),
		"status/ciphersuite": text(&s.CipherSuite), "status/activelayout": text(&s.ActiveLayout),
		"status/availablevideostreams": count(&s.AvailableVideoStreams),
	}
}

func (m *Media) fields() fields {
	return fields{
		"role": text(&m.Role), "codec": text(&m.Codec), "packetlosspercentage": decimal(&m.PacketLossPercentage),
		"jitter": decimal(&m.Jitter), "roundtriptime": decimal(&m.RoundTripTime), "bitrate": count(&m.BitRate),
		"width": count(&m.Width), "height": count(&m.Height), "framerate": decimal(&m.FrameRate),
	}
}

// DecodeCallLegs reads a page of /callLegs.
func DecodeCallLegs(body []byte) (Page[CallLeg], error) {
	return decodePage(body, "callLegs", "callLeg", (*CallLeg).fields)
}

// maxStreams bounds the video streams of a leg in one direction.
const maxStreams = 16

// stream returns the stream that begins at a path, nil for another path.
func (s *LegStatus) stream(path []byte) *Media {
	video := func(streams *[]Media) *Media {
		if len(*streams) == maxStreams {
			return new(Media) // read, and not kept
		}
		*streams = append(*streams, Media{})
		return &(*streams)[len(*streams)-1]
	}
	switch string(path) {
	case "status/rxaudio":
		s.RxAudio = new(Media)
		return s.RxAudio
	case "status/txaudio":
		s.TxAudio = new(Media)
		return s.TxAudio
	case "status/rxvideo":
		return video(&s.RxVideo)
	case "status/txvideo":
		return video(&s.TxVideo)
	}
	return nil
}

// DecodeCallLeg reads /callLegs/ID.
func DecodeCallLeg(body []byte) (l CallLeg, err error) {
	own := l.fields()
	var stream fields // of the stream that is read
	var below int     // length of its path
	err = scan(body, "callLeg", visitor{
		begin: func(path []byte) {
			if m := l.Status.stream(path); m != nil {
				stream, below = m.fields(), len(path)+1
			}
		},
		leaf: func(path []byte, text string) {
			set := own[string(path)]
			if set == nil && isOfStream(path) && len(path) > below {
				set = stream[string(path[below:])]
			}
			if set != nil {
				set(text)
			}
		},
	})
	return l, err
}

// isOfStream tells whether a path is one below a stream.
func isOfStream(path []byte) bool {
	for _, prefix := range []string{"status/rxaudio/", "status/txaudio/", "status/rxvideo/", "status/txvideo/"} {
		if len(path) > len(prefix) && string(path[:len(prefix)]) == prefix {
			return true
		}
	}
	return false
}
