// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// Alarm is a quality problem: its kind and the share of the leg's duration, in per cent with
// one decimal. The share may round to 0.0.
type Alarm struct {
	Kind    string
	Percent float64
}

// Usage is the share of a leg's life, in per cent, for each use of video; a
// negative number means never.
type Usage struct {
	MainViewer, MainContributor                 float64
	PresentationViewer, PresentationContributor float64
}

// Loss is the burst and gap statistics of a received stream.
type Loss struct {
	BurstSeconds, BurstDensity float64
	GapSeconds, GapDensity     float64
}

// Stream is one medium in one direction.
type Stream struct {
	Codec         string
	Width, Height int   // 0 when not known
	Loss          *Loss // only of received streams of ordinary SIP legs
}

// Media are the media statistics of a leg at its end.
type Media struct {
	Usage                  *Usage // nil without video
	Screens                int    // of multistream video, 0 for none
	Alarms                 []Alarm
	Encrypted, Unencrypted bool

	// Audio and video received from and sent to the far end; nil for none.
	AudioIn, AudioOut, VideoIn, VideoOut *Stream
}

var alarmKinds = []string{"packetLoss", "excessiveJitter", "highRoundTripTime"}

var resolutions = [][2]int{{768, 448}, {1024, 576}, {1280, 720}, {1920, 1080}}

// drawMedia draws the media of a leg with the given duration.
func (w *World) drawMedia(l *leg, lasted time.Duration) *Media {
	m := &Media{Encrypted: w.dice.Chance(0.8)}
	m.Unencrypted = !m.Encrypted || w.dice.Chance(0.1)
	switch l.Kind {
	case KindLink:
		return m
	case KindSharing:
		m.Usage = &Usage{-1, -1, -1, 100}
		m.VideoIn = &Stream{Codec: "h264Lync"}
		return m
	}
	m.Alarms = w.drawAlarms()
	m.AudioIn, m.AudioOut = w.drawAudio(l.device, lasted), w.drawAudio(l.device, 0)
	if len(l.device.video) > 0 {
		w.addVideo(m, l.device, lasted)
	}
	w.addLossAlarm(l, m)
	return m
}

// drawAlarms draws zero or more different alarms.
func (w *World) drawAlarms() []Alarm {
	if w.dice.Chance(0.65) {
		return nil
	}
	var list []Alarm
	for _, kind := range alarmKinds {
		switch {
		case w.dice.Chance(0.2):
			list = append(list, Alarm{Kind: kind})
		case w.dice.Chance(0.4):
			list = append(list, Alarm{Kind: kind, Percent: float64(w.dice.Between([2]int{1, 250})) / 10})
		}
	}
	return list
}

// drawAudio draws an audio stream; lasted is 0 for the sending direction, for which the
// bridge keeps no statistics.
func (w *World) drawAudio(dev device, lasted time.Duration) *Stream {
	s := &Stream{Codec: "opus"}
	if len(dev.audio) > 0 {
		s.Codec = chance.Pick(w.dice, dev.audio)
	}
	s.Loss = w.drawLoss(dev, s.Codec, lasted)
	return s
}

func (w *World) addVideo(m *Media, dev device, lasted time.Duration) {
	m.Usage = &Usage{w.drawPercent(), w.drawPercent(), -1, -1}
	if w.dice.Chance(0.3) {
		m.Usage.PresentationViewer = w.drawPercent()
	}
	if w.dice.Chance(0.15) {
		m.Usage.PresentationContributor = w.drawPercent()
	}
	if w.dice.Chance(0.1) {
		m.Screens = 2
	}
	m.VideoOut = w.drawVideo(dev, 0)
	// Somebody without a camera receives but contributes nothing.
	if w.dice.Chance(0.15) {
		m.Usage.MainContributor = -1
		return
	}
	m.VideoIn = w.drawVideo(dev, lasted)
}

func (w *World) drawVideo(dev device, lasted time.Duration) *Stream {
	s := &Stream{Codec: chance.Pick(w.dice, dev.video)}
	if w.dice.Chance(0.9) {
		size := chance.Pick(w.dice, resolutions)
		s.Width, s.Height = size[0], size[1]
	}
	s.Loss = w.drawLoss(dev, s.Codec, lasted)
	return s
}

func (w *World) drawLoss(dev device, codec string, lasted time.Duration) *Loss {
	if lasted == 0 || dev.app || dev.kind != "sip" || codec == "opus" {
		return nil
	}
	if w.dice.Chance(0.6) {
		return &Loss{GapSeconds: lasted.Seconds() * 0.99}
	}
	burst := lasted.Seconds() * 0.05 * w.dice.Float64()
	return &Loss{
		BurstSeconds: burst, BurstDensity: 1 + 20*w.dice.Float64(),
		GapSeconds: lasted.Seconds()*0.99 - burst, GapDensity: 0.2 * w.dice.Float64(),
	}
}

// drawPercent draws a share with one decimal, often 100.
func (w *World) drawPercent() float64 {
	if w.dice.Chance(0.5) {
		return 100
	}
	return float64(w.dice.Between([2]int{0, 999})) / 10
}
