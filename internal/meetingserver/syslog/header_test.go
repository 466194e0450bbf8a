// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustZone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation(name)
	require.NoError(tb, err)
	return zone
}

func TestHeader(t *testing.T) {
	const host, tag = "cms-n1", "host:server"
	for _, row := range []struct {
		line    string
		want    Header // without Time
		message string
	}{
		{"Mar  5 14:08:23 user.info cms-n1 host:server:  INFO : text", Header{FormBSD, -1, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, " text"},
		{"Mar 5 14:08:23.736 local0.warning cms-n1 host:server: WARNING : text", Header{FormBSD, -1, "local0", "warning", time.Time{}, host, "", tag, "", "WARNING"}, " text"},
		{"<14>Mar  5 14:08:23 cms-n1 host:server:  INFO : text", Header{FormBSD, 14, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, " text"},
		{"<11>Mar  5 14:08:23 user.info cms-n1 authp:  text", Header{FormBSD, 11, "user", "info", time.Time{}, host, "", "authp", "", ""}, "  text"},
		{"2024-03-05T16:50:25.736 user.info cms-n1 host:server: INFO : a : b", Header{FormISO, -1, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, " a : b"},
		{"<14>2024-03-05T16:50:25Z cms-n1 host:server: INFO : text", Header{FormISO, 14, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, " text"},
		{"2024-03-06  12:36:05.737  Info     call 49: becoming floor", Header{FormExport, -1, "", "", time.Time{}, "", "", "", "", "Info"}, "     call 49: becoming floor"},
		{"2024-03-06 12:36:05 user.info cms-n1 host:server: INFO : text", Header{FormExport, -1, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, " text"},
		{"<165>1 2024-03-05T16:50:25.736+01:00 cms-n1 postgres 4711 - [a b=\"]\"][c] text", Header{FormISO, 165, "local4", "notice", time.Time{}, host, "", "postgres", "4711", ""}, "text"},
		{"<165>1 2024-03-05T16:50:25Z cms-n1 host:server: - - - INFO : text", Header{FormISO, 165, "local4", "notice", time.Time{}, host, "", tag, "", "INFO"}, " text"},
		{"Line 217708: Mar 5 14:08:23 user.info cms-n1 host:server: INFO : text", Header{FormBSD, -1, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, " text"},
		{"Mar 5 14:08:23 local7.info cms-n1 3b8086e0e5a0 wb3_frontend: text", Header{FormBSD, -1, "local7", "info", time.Time{}, host, "3b8086e0e5a0", "wb3_frontend", "", ""}, " text"},
		{"Mar 5 14:08:23 local0.err cms-n1 postgres[54639]: [7-1] 2024-02-23 FATAL: x", Header{FormBSD, -1, "local0", "err", time.Time{}, host, "", "postgres", "54639", ""}, " [7-1] 2024-02-23 FATAL: x"},
		{"Mar 5 14:08:23 user.err cms-n1 client_backend:  ERROR   : text", Header{FormBSD, -1, "user", "err", time.Time{}, host, "", "client_backend", "", "ERROR"}, " text"},
		{"Mar 5 14:08:23 user.info cms-n1 host:server: INFO text", Header{FormBSD, -1, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, " text"},
		{"Mar 5 14:08:23 user.info cms-n1 host:server: INFO: text", Header{FormBSD, -1, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, " text"},
		{"Mar   5  14:08:23 \t user.info   cms-n1   host:server:      INFO    :     text", Header{FormBSD, -1, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, "     text"},
		{"Mar 5 14:08:23 cms-n1 last message repeated 3 times", Header{FormBSD, -1, "", "", time.Time{}, host, "", "", "", ""}, " last message repeated 3 times"},
		{"ul 26 14:08:23 user.info cms-n1 host:server:  INFO : text", Header{FormDamaged, -1, "user", "info", time.Time{}, host, "", tag, "", "INFO"}, " text"},
		{"<14>no date", Header{FormUnknown, 14, "user", "info", time.Time{}, "", "", "", "", ""}, "no date"},
		{"<999>no priority", Header{FormUnknown, -1, "", "", time.Time{}, "", "", "", "", ""}, "<999>no priority"},
		{"Mar 32 14:08:23 cms-n1 a: b", Header{FormUnknown, -1, "", "", time.Time{}, "", "", "", "", ""}, "Mar 32 14:08:23 cms-n1 a: b"},
		{"26T14:08:19Z</cdrTime>", Header{FormUnknown, -1, "", "", time.Time{}, "", "", "", "", ""}, "26T14:08:19Z</cdrTime>"},
		{"", Header{FormUnknown, -1, "", "", time.Time{}, "", "", "", "", ""}, ""},
	} {
		p := headerParser{location: time.UTC}
		got, message := p.parse(row.line, noon)
		assert.Equal(t, row.want.Form >= FormBSD, !got.Time.IsZero(), row.line)
		got.Time = time.Time{}
		assert.Equal(t, row.want, got, row.line)
		assert.Equal(t, row.message, message, row.line)
	}
}

func TestTime(t *testing.T) {
	berlin := mustZone(t, "Europe/Berlin")
	for _, row := range []struct{ line, now, want string }{
		{"Mar  5 14:08:23 x", "2024-03-05T14:00:00Z", "2024-03-05T13:08:23Z"},
		{"Jul  5 14:08:23.5 x", "2024-07-05T14:00:00Z", "2024-07-05T12:08:23.5Z"},
		{"Dec 31 23:59:59.999 x", "2025-01-01T00:00:01Z", "2024-12-31T22:59:59.999Z"},
		{"Jan  1 00:00:01 x", "2024-12-31T22:59:58Z", "2024-12-31T23:00:01Z"}, // a clock that is ahead
		{"Jan  1 00:00:01 x", "2024-12-31T20:00:00Z", "2024-12-31T23:00:01Z"},
		{"Mar 13 00:00:00 x", "2024-03-05T12:00:00Z", "2023-03-12T23:00:00Z"}, // more than a week ahead
		{"Feb 29 10:00:00 x", "2026-03-05T12:00:00Z", "2024-02-29T09:00:00Z"},
		{"2024-03-05T16:50:25.736 x", "2020-01-01T00:00:00Z", "2024-03-05T15:50:25.736Z"},
		{"2024-03-05T16:50:25.736Z x", "2020-01-01T00:00:00Z", "2024-03-05T16:50:25.736Z"},
		{"2024-03-05T16:50:25.123456789-0530 x", "2020-01-01T00:00:00Z", "2024-03-05T22:20:25.123456789Z"},
		{"2024-03-06  12:36:05.737  Info  x", "2020-01-01T00:00:00Z", "2024-03-06T11:36:05.737Z"},
		{"2024-07-26 12:36:05,7  Info  x", "2020-01-01T00:00:00Z", "2024-07-26T10:36:05.7Z"},
	} {
		now, err := time.Parse(time.RFC3339, row.now)
		require.NoError(t, err)
		p := headerParser{location: berlin}
		got, _ := p.parse(row.line, now)
		assert.Equal(t, row.want, got.Time.UTC().Format(time.RFC3339Nano), row.line)
	}
}

// The year of a date without one is the newest in which it is not more than a week
// ahead: for each day around each now, the same day of a year later is.
func TestNewestYear(t *testing.T) {
	for now := time.Date(2023, 1, 1, 0, 30, 0, 0, time.UTC); now.Year() < 2029; now = now.Add(61 * time.Hour) {
		for back := -6 * 24 * time.Hour; back < 350*24*time.Hour; back += 37 * time.Hour {
			want := now.Add(-back).Truncate(time.Second)
			got, ok := resolveYear(want.Month(), want.Day(), timeOfDay{want.Hour(), want.Minute(), want.Second(), 0}, time.UTC, now)
			require.True(t, ok)
			require.Equal(t, want, got, "at %s", now)
		}
	}
}

// The process's LEVEL counts before the facility's text, and that before the priority.
func TestSeverity(t *testing.T) {
	for line, want := range map[string]Severity{
		"<11>Mar 5 14:08:23 user.info cms-n1 a: text":                  SeverityInfo,
		"<14>Mar 5 14:08:23 user.err cms-n1 a: text":                   SeverityError,
		"<14>Mar 5 14:08:23 user.err cms-n1 a: WARNING : text":         SeverityWarn,
		"<11>Mar 5 14:08:23 cms-n1 a: text":                            SeverityError,
		"<8>Mar 5 14:08:23 cms-n1 a: text":                             SeverityFatal,
		"<15>Mar 5 14:08:23 cms-n1 a: text":                            SeverityDebug,
		"Mar 5 14:08:23 cms-n1 a: text":                                SeverityInfo,
		"2024-03-06  12:36:05.737  Error  text":                        SeverityError,
		"<11>no date":                                                  SeverityError,
		"Mar 5 14:08:23 cms-n1 a: No recording device found":           SeverityError,
		"Mar 5 14:08:23 user.crit cms-n1 a: No recording device found": SeverityFatal,
	} {
		newTestReader().Read(noon, "", line, func(r *Record) { assert.Equal(t, want, r.Severity, line) })
	}
}

// FuzzHeader message is the end of the line, whatever the line: parse loses nothing behind
// what it takes for the header.
func FuzzHeader(f *testing.F) {
	for _, file := range []string{"field/syslog/foreign-tags.log", "field/syslog/ids-and-levels.log", "field/syslog/iso-date-no-zone.log", "field/syslog/pri-and-facility-text.log", "cms-api/malformed-doc-wrapped.log"} {
		for line := range strings.Lines(fixture(f, file)) {
			f.Add(strings.TrimSuffix(line, "\n"))
		}
	}
	f.Fuzz(func(t *testing.T, line string) {
		p := headerParser{location: time.UTC}
		h, message := p.parse(line, noon)
		require.True(t, strings.HasSuffix(line, message), "%q of %q", message, line)
		taken := line[:len(line)-len(message)]
		for _, part := range []string{h.Host, h.Tag, h.PID, h.Container, h.Level} {
			require.Contains(t, taken, part)
		}
		if h.Form == FormUnknown {
			require.Empty(t, h.Host+h.Tag)
			require.True(t, h.Time.IsZero())
		}
		if h.Form >= FormBSD && cutEditorNumber(line) == line {
			// Any number of blanks between the parts makes no difference, and no editor does.
			again, same := p.parse("Line 7:\t "+taken+message, noon)
			require.Equal(t, h, again)
			require.Equal(t, message, same)
		}
		if h.Form == FormBSD {
			require.False(t, h.Time.After(noon.Add(maxClockAhead)))
			require.True(t, h.Time.After(noon.AddDate(-maxLeapGap-1, 0, 0)))
		}
	})
}
