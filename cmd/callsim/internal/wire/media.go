// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strconv"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

func (e *element) media(m *scenario.Media) {
	if m.Usage != nil {
		e.usage(m.Usage, m.Screens)
	}
	if m.Screens > 0 {
		e.begin("multistreamVideo").count("maxScreens", m.Screens).close("multistreamVideo")
	}
	for _, a := range m.Alarms {
		e.raw(`<alarm type="`, a.Kind, `" durationPercentage="`, strconv.FormatFloat(a.Percent, 'f', 1, 64), `" />`)
	}
	e.flag("encryptedMedia", m.Encrypted).flag("unencryptedMedia", m.Unencrypted)
	e.stream("rxAudio", m.AudioIn)
	e.stream("txAudio", m.AudioOut)
	e.stream("rxVideo", m.VideoIn)
	e.stream("txVideo", m.VideoOut)
}

// usage writes the shares of the leg's life; an absent child was never active.
func (e *element) usage(u *scenario.Usage, screens int) {
	e.begin("mediaUsagePercentages")
	e.percent("mainVideoViewer", u.MainViewer)
	e.percent("mainVideoContributor", u.MainContributor)
	e.percent("presentationViewer", u.PresentationViewer)
	e.percent("presentationContributor", u.PresentationContributor)
	if screens > 0 {
		e.percent("multistreamVideo", u.MainViewer)
	}
	e.close("mediaUsagePercentages")
}

func (e *element) percent(name string, value float64) {
	if value >= 0 {
		e.decimal(name, value, 1)
	}
}

func (e *element) stream(name string, s *scenario.Stream) {
	if s == nil {
		return
	}
	e.begin(name).is("codec", s.Codec)
	if s.Width > 0 {
		e.count("maxSizeWidth", s.Width).count("maxSizeHeight", s.Height)
	}
	if s.Loss != nil {
		e.begin("packetStatistics").
			begin("packetLossBursts").
			decimal("duration", s.Loss.BurstSeconds, 3).decimal("density", s.Loss.BurstDensity, 2).
			close("packetLossBursts").
			begin("packetGap").
			decimal("duration", s.Loss.GapSeconds, 3).decimal("density", s.Loss.GapDensity, 2).
			close("packetGap").
			close("packetStatistics")
	}
	e.close(name)
}
