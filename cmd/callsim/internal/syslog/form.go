// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"fmt"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// dateForm is how a bridge writes dates: its release decides.
type dateForm int

const (
	datePadded       dateForm = iota // Jan  5 08:00:00
	dateMilliseconds                 // Jan 5 08:00:00.123
	dateISO                          // 2026-01-05T08:00:00.123
	dateForms
)

func (f dateForm) stamp(at time.Time) string {
	at = at.UTC()
	switch f {
	case dateMilliseconds:
		return at.Format("Jan 2 15:04:05.000")
	case dateISO:
		return at.Format("2006-01-02T15:04:05.000")
	default:
		return at.Format("Jan _2 15:04:05")
	}
}

// resolution is how exact the dates of the form are.
func (f dateForm) resolution() time.Duration {
	if f == datePadded {
		return time.Second
	}
	return time.Millisecond
}

// facility of a line, with its number in a priority.
type facility struct {
	name   string
	number int
}

var (
	user   = facility{"user", 1}
	local0 = facility{"local0", 16}
	local7 = facility{"local7", 23}
)

// severities by the name that a line has; LEVEL is the process's own word for it.
var severities = map[string]int{"err": 3, "warning": 4, "info": 6}

// line is one line before it has a form.
type line struct {
	at        time.Time
	facility  facility
	severity  string
	container string // 12 hexadecimal digits, "" on the host itself
	tag       string
	level     string // with its colon and blanks; "" for none
	text      string
}

// file returns the line as a bridge writes it into a file.
func (l *line) file(form dateForm, host string) string { return l.render(form, host, "", true) }

// wire returns the line as it is sent: mostly with a priority and the text "user.info",
// which a relay may have given another priority; at times with the priority alone.
func (l *line) wire(dice chance.Dice, form dateForm, host string) string {
	number := l.facility.number*8 + severities[l.severity]
	text := true
	switch {
	case dice.Chance(0.1):
		number = user.number*8 + severities["err"]
	case dice.Chance(0.2):
		text = false
	}
	return l.render(form, host, fmt.Sprintf("<%d>", number), text)
}

func (l *line) render(form dateForm, host, priority string, text bool) string {
	head := priority + form.stamp(l.at) + " "
	if text {
		head += l.facility.name + "." + l.severity + " "
	}
	head += host + " "
	if l.container != "" {
		head += l.container + " "
	}
	return head + l.tag + " " + l.level + l.text
}
