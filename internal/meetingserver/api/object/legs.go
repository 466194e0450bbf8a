// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object

// CallLeg is an entry of /callLegs, or /callLegs/ID. The list has only the fields up to Alarms.
type CallLeg struct {
	ID, Name, RemoteParty, OriginalRemoteParty, Call, Tenant string
	// Alarms are from the list. The server has its own thresholds.
	Alarms LegAlarms

	Type         string
	SubType      string
	LyncSubType  string
	Direction    string
	LocalAddress string
	Status       LegStatus
}

// LegAlarms are the active alarms of a leg.
type LegAlarms struct {
	PacketLoss, ExcessiveJitter, HighRoundTripTime bool
}

// LegStatus is the status element of /callLegs/ID.
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

// Media is one stream of a leg. The far end measures loss, jitter and round trip time of sent
// streams.
type Media struct {
	// Role is main or presentation, of video streams.
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

func (l *CallLeg) setters() setters {
	s := &l.Status
	return setters{
		"id": setText(&l.ID), "name": setText(&l.Name), "remoteparty": setText(&l.RemoteParty), "originalremoteparty": setText(&l.OriginalRemoteParty),
		"call": setText(&l.Call), "tenant": setText(&l.Tenant),
		"alarms/packetloss": setPresent(&l.Alarms.PacketLoss), "alarms/excessivejitter": setPresent(&l.Alarms.ExcessiveJitter),
		"alarms/highroundtriptime": setPresent(&l.Alarms.HighRoundTripTime),
		"type":                     setText(&l.Type), "subtype": setText(&l.SubType), "lyncsubtype": setText(&l.LyncSubType),
		"direction": setText(&l.Direction), "status/direction": setText(&l.Direction), "localaddress": setText(&l.LocalAddress),
		"status/state": setText(&s.State), "status/durationseconds": setCount(&s.DurationSeconds),
		"status/sipcallid": setText(&s.SIPCallID), "status/groupid": setText(&s.GroupID),
		"status/recording": setBool(&s.Recording), "status/streaming": setBool(&s.Streaming), "status/deactivated": setBool(&s.Deactivated),
		"status/encryptedmedia": setBool(&s.EncryptedMedia), "status/unencryptedmedia": setBool(&s.UnencryptedMedia),
		"status/ciphersuite": setText(&s.CipherSuite), "status/activelayout": setText(&s.ActiveLayout),
		"status/availablevideostreams": setCount(&s.AvailableVideoStreams),
	}
}

func (m *Media) setters() setters {
	return setters{
		"role": setText(&m.Role), "codec": setText(&m.Codec), "packetlosspercentage": setDecimal(&m.PacketLossPercentage),
		"jitter": setDecimal(&m.Jitter), "roundtriptime": setDecimal(&m.RoundTripTime), "bitrate": setCount(&m.BitRate),
		"width": setCount(&m.Width), "height": setCount(&m.Height), "framerate": setDecimal(&m.FrameRate),
	}
}

// DecodeCallLegs reads a page of /callLegs.
func DecodeCallLegs(body []byte) (Page[CallLeg], error) {
	return decodePage(body, "callLegs", "callLeg", (*CallLeg).setters)
}

// maxStreams is the largest number of video streams of a leg in one direction.
const maxStreams = 16

// newStreamAt adds the stream whose element is at path, and returns it; nil for other elements.
func (s *LegStatus) newStreamAt(path []byte) *Media {
	video := func(streams *[]Media) *Media {
		if len(*streams) == maxStreams {
			return new(Media) // discarded
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
	own := l.setters()
	var stream setters // of the current stream
	var below int      // offset of the names below it in a path
	err = scanDocument(body, "callLeg", visitor{
		begin: func(path []byte) {
			if m := l.Status.newStreamAt(path); m != nil {
				stream, below = m.setters(), len(path)+1
			}
		},
		leaf: func(path []byte, text string) {
			set := own[string(path)]
			if set == nil && isBelowStream(path) && len(path) > below {
				set = stream[string(path[below:])]
			}
			if set != nil {
				set(text)
			}
		},
	})
	return l, err
}

// isBelowStream reports whether a path is below the element of a stream.
func isBelowStream(path []byte) bool {
	for _, prefix := range []string{"status/rxaudio/", "status/txaudio/", "status/rxvideo/", "status/txvideo/"} {
		if len(path) > len(prefix) && string(path[:len(prefix)]) == prefix {
			return true
		}
	}
	return false
}
